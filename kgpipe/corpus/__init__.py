"""From files to clean documents and passages of whole sentences."""
