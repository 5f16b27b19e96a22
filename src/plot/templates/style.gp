# What all plots have in common. It comes first; before it the program sets
#   output   the picture to be written
set encoding utf8
font = "DejaVu Sans,11"
small = "DejaVu Sans,9"
ink = "#222222"
faint = "#bdbdbd"
strong = "#0072b2" # dark enough in grey, and told from grey by every eye

set border 3 linecolor rgb "#888888"
set tics nomirror textcolor rgb ink
set xtics font small
set ytics font small
set grid linecolor rgb "#e6e6e6" linetype 1
set title textcolor rgb ink offset 0, -0.4
unset key
