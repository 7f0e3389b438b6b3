"""How data sets lay out captures on disk, one module a layout.

Light files beside photographs are known by their names, whatever the case:

1. `LightSource.m`
2. `lights.csv`, `lights.json`, `lights.lp`, `lights.txt`, `lights.npy`, `light_directions.txt`,
   `light_directions.npy`, `sources.npy`
3. any other `.lp`

No other file is taken: `foo.lp` is a light file, `foo.csv`, `foo.json` and `foo.m` are not, unless
the user gives them for all captures, which goes before all of these. `light_intensities.txt` is
read along with `light_directions.txt`, which needs it in DiLiGenT's layout alone. The first rank
that a folder has decides; two files of that rank are refused. A plain session without any takes
its subject's light file, else the root's. Photoface's sessions need their own `LightSource.m`, and
DiLiGenT's objects their own `light_directions.txt`; names of Yale's kind tell the lights where the
session's folder has no file of the first two ranks.
"""
