"""What is pictured: products, pictures, and the models that look at them."""
