"""What people read: results, errors and help turned into sentences and blocks. Nothing here asks or sends."""
