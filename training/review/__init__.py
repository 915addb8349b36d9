"""What a model approver looks at: figures, a five-line description, links."""
