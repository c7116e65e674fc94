"""Contrast medium in the thecal sac: where it is, how bright, how far it reaches, and the scan without it.

At CT myelography CSF reads about 160 to 1500 HU, cord and roots stay dark. To whatever reads bone or cement
that is one more bright thing. It is therefore found first, along a course through the canal, its outer border
is drawn, and it is taken out of the scan: all that follows reads a plain CT. Only the outline of the sac is
read from the contrast itself.
"""
