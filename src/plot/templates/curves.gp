# One chart for each detector: its curve over those of all others, so that no colour or
# dash has to tell one from another. After style.gp; the program sets
#   n          how many detectors there are
#   is_roc     1: false positive rate and recall; 0: recall and precision
#   chance     share of anomalous rows: the precision of a blind guess
#   $titles    a line for each detector: "title", area
#   $curves    x y, for one detector after the other, two empty lines between them
columns = n < 3 ? n : 3
rows = (n + columns - 1) / columns
width = 60 + 310 * columns
height = 60 + 310 * rows
set terminal pngcairo size width, height noenhanced font font
set output output
set multiplot layout rows, columns \
    margins screen 75.0 / width, 1 - 20.0 / width, 60.0 / height, 1 - 30.0 / height \
    spacing screen 40.0 / width, 60.0 / height

array title[n]
stats $titles using (title[$0 + 1] = sprintf("%s  %.3f", strcol(1), $2), 1) nooutput

guess(x) = is_roc ? x : chance
set xrange [0:1]
set yrange [0:1.02]
set xtics 0, 0.2, 1
set ytics 0, 0.2, 1
do for [i = 1:n] {
    set title title[i]
    set xlabel (i > n - columns ? (is_roc ? "False positive rate" : "Recall") : "")
    set ylabel (i % columns == 1 || n == 1 ? (is_roc ? "Recall" : "Precision") : "")
    plot guess(x) with lines dashtype 2 linecolor rgb faint, \
         $curves using 1:2 with lines linewidth 1 linecolor rgb faint, \
         $curves index i - 1 using 1:2 with lines linewidth 2.5 linecolor rgb strong
}
unset multiplot
