"""The matrix factorisation that UVCAN can stand on."""
