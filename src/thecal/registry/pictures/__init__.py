"""The registry's pictures, drawn in two ways, and why.

`forest` and `strength_curve` are files that go into papers, PNG among them: matplotlib draws them, as every
other picture of thecal. `statistics_svg` writes the few lines of the statistics' page as SVG by hand: to load
matplotlib takes 0.7 s of processor time (measured on two cores that were busy with other work), as long as
`thecal registry stats` takes for everything on 100,000 cases, and its page is to be there within a second.
"""
