# Quality and cost of the detectors, as bars from the best F1 down. After style.gp; the
# program sets
#   n            how many detectors there are
#   $detectors   a line for each: "name", F1, ROC AUC, training in ms, one row in µs,
#                million rows a second, model in kB; -1 = not defined
array title[6] = ["F1", "ROC AUC", "Training, ms", "One row, µs", \
                  "Throughput, million rows/s", "Model, kB"]
qualities = 2 # the first so many lie in 0 .. 1; costs are on a log scale

array left[6]
array right[6]
do for [i = 1:6] {
    left[i] = 0
    right[i] = 1.18
    if (i > qualities) {
        stats $detectors using (column(i + 1)) nooutput
        left[i] = 10 ** floor(log10(STATS_min) - 0.15)
        # Room for the number beside the longest bar.
        right[i] = STATS_max * (STATS_max / left[i]) ** 0.28
    }
}

text(v, i) = v < 0 ? "–" : sprintf(i <= qualities ? "%.3f" : v >= 100 ? "%.0f" : "%.3g", v)
shown(i) = column(i + 1) < left[i] ? left[i] : column(i + 1)

chart = 32 * n + 16 # pixels
height = 2 * (chart + 80)
set terminal pngcairo size 1400, height noenhanced font font
set output output
set multiplot layout 2, 3 margins screen 0.13, 0.98, 45.0 / height, 1 - 35.0 / height \
    spacing screen 0.035, 80.0 / height
set style fill solid 1 noborder
set yrange [n - 0.4 : -0.6]
unset ytics
unset mxtics
do for [i = 1:6] {
    set title title[i] . (i > qualities ? " (log scale)" : "")
    set xrange [left[i]:right[i]]
    set xtics 0, 0.2, 1
    if (i > qualities) {
        set logscale x
        # One label for each power of ten, or for every second where they are many.
        set xtics log10(right[i] / left[i]) > 6.5 ? 100 : 10
    }
    # Names stand once, to the left of each row of charts. They are empty elsewhere: a
    # plot of labels of which none is in range brings gnuplot 5.4 down.
    plot $detectors using (left[i]):0:(left[i]):(shown(i)):($0 - 0.36):($0 + 0.36) \
             with boxxyerror linecolor rgb strong, \
         "" using (shown(i)):0:(text(column(i + 1), i)) \
             with labels left offset 0.6, 0 textcolor rgb ink, \
         "" using (left[i]):0:(i % 3 == 1 ? strcol(1) : "") \
             with labels right offset -0.8, 0 textcolor rgb ink
}
unset multiplot
