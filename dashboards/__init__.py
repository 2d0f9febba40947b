"""What people look at: pages, boards and figures. Pure: values in, HTML out."""
