"""What people write in the marketplace: phrases as data, varied by choice, and disguised by those who must."""
