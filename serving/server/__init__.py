"""An embedded server that answers as TF Serving does: `serving.server.app.Server`."""
