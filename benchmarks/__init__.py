"""Side-by-side measurements that anyone can run again; no job imports them."""
