"""What resident workers share that answer one client after another."""
