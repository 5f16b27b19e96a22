# Metrics over time, three in a row: blue lines, and a red dot where a row is odd. After
# style.gp; the program sets
#   is_svg     1: a drawing, 0: a picture
#   n          how many metrics there are
#   timed      1: x is a time in seconds, with `step` between two labels; 0: rows
#   single     1: each point is one row; 0: many, with their least and greatest value
#   title[n], unit[n]
#   from_zero[n]  1: the axis begins at 0
#   most[n]    the value that is farthest from 0
#   $metrics   x, least, greatest, red dot: for one metric after the other, two empty lines
#              between them
columns = n < 3 ? n : 3
rows = (n + columns - 1) / columns
width = 60 + 480 * columns
height = 40 + 240 * rows
if (is_svg) {
    set terminal svg size width, height noenhanced font font background "#ffffff"
} else {
    set terminal pngcairo size width, height noenhanced font font
}
set output output
set multiplot layout rows, columns \
    margins screen 70.0 / width, 1 - 20.0 / width, 30.0 / height, 1 - 30.0 / height \
    spacing screen 75.0 / width, 62.0 / height

red = "#c2352c"
band = "#9cc7e6"
if (timed) {
    set xdata time
    set timefmt "%s"
    set format x (step >= 86400 ? "%m-%d" : step >= 60 ? "%H:%M" : "%H:%M:%S")
    set xtics step
} else {
    set format x "%.6g"
    set xtics autofreq
}
set autoscale xfix
set offsets graph 0, 0, 0.06, 0.04
do for [i = 1:n] {
    set format y (most[i] >= 1e4 ? "%.1s%c" : "%.4g")
    if (from_zero[i]) { set yrange [0:*] } else { set yrange [*:*] }
    set title title[i] . (unit[i] eq "" ? "" : ", " . unit[i])
    if (single) {
        plot $metrics index i - 1 using 1:3 with lines linewidth 1 linecolor rgb strong, \
             "" index i - 1 using 1:4 with points pointtype 7 pointsize 0.5 linecolor rgb red
    } else {
        plot $metrics index i - 1 using 1:2:3 with filledcurves fillstyle solid 1 noborder \
                 linecolor rgb band, \
             "" index i - 1 using 1:3 with lines linewidth 1 linecolor rgb strong, \
             "" index i - 1 using 1:2 with lines linewidth 1 linecolor rgb strong, \
             "" index i - 1 using 1:4 with points pointtype 7 pointsize 0.5 linecolor rgb red
    }
}
unset multiplot
