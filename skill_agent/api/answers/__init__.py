"""What answers look like: errors, frames of a reply, what the OpenAPI document tells of them."""
