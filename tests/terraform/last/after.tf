# No table remains.
