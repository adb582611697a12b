"""Tables on disk to encoded data in memory."""

# Before anything here reads a file: Parquet files name extension types, and pyarrow
# before 14.0.1 unpickled one of them, which ran any code (CVE-2023-47248). The fix
# does nothing where pyarrow is newer.
import pyarrow_hotfix  # noqa: F401
