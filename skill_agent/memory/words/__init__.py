"""What words of any language tell: how they are compared, which times and sames they mean."""
