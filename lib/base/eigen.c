/* Eigenvectors of a symmetric matrix by Householder reduction to tridiagonal form, then
 * the implicit QL method: Golub and Van Loan, "Matrix computations", 8.3; Bowdler et al.,
 * "The QR and QL algorithms for symmetric matrices", Numer. Math. 11 (1968). The matrix
 * is scaled first, so that no square overflows. All pairs are found, never only some. */
#include "base/eigen.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "base/lanes.h"

/* Reflects column k of `a` below the diagonal onto its first element, which goes to
 * side[k], and updates the trailing block on both sides. The reflector v stays in
 * a[k][k+1 ..] (row k, no longer needed) and its factor in beta[k]; p is scratch. */
VD_LANES static void reflect(double *a, size_t n, size_t k, double *side, double *beta,
                             double *p)
{
    double *v = a + k * n + k + 1;
    size_t m = n - k - 1;
    double norm = sqrt(vd__dot(v, v, m)), half;

    beta[k] = 0;
    side[k] = v[0];
    if (m == 1 || norm - fabs(v[0]) == 0)
        return;
    side[k] = v[0] > 0 ? -norm : norm;
    v[0] -= side[k];
    beta[k] = 2 / vd__dot(v, v, m);
    for (size_t i = 0; i < m; i++)
        p[i] = beta[k] * vd__dot(a + (k + 1 + i) * n + k + 1, v, m);
    half = beta[k] / 2 * vd__dot(p, v, m);
    for (size_t i = 0; i < m; i++)
        p[i] -= half * v[i];
    for (size_t i = 0; i < m; i++) {
        double *row = a + (k + 1 + i) * n + k + 1;

        for (size_t j = 0; j < m; j++)
            row[j] -= v[i] * p[j] + p[i] * v[j];
    }
}

/* Multiplies all reflectors and writes the transpose of the product into q. */
VD_LANES static void accumulate(const double *a, size_t n, const double *beta, double *q)
{
    for (size_t i = 0; i < n * n; i++)
        q[i] = i % (n + 1) == 0;
    for (size_t k = n - 1; k-- > 0;) {
        const double *v = a + k * n + k + 1;
        size_t m = n - k - 1;

        for (size_t i = 0; beta[k] != 0 && i < m; i++) {
            double *row = q + (k + 1 + i) * n + k + 1;
            double t = beta[k] * vd__dot(row, v, m);

            for (size_t j = 0; j < m; j++)
                row[j] -= t * v[j];
        }
    }
}

/* Applies one rotation to two rows of eigenvectors. */
static void rotate_rows(double *upper, double *lower, size_t n, double c, double s)
{
    for (size_t k = 0; k < n; k++) {
        double f = lower[k];

        lower[k] = s * upper[k] + c * f;
        upper[k] = c * upper[k] - s * f;
    }
}

/* Does one implicit QL step on the block l .. m: d is the diagonal, e the entries beside
 * it, q the vectors so far. */
VD_LANES static void step(double *d, double *e, double *q, size_t n, size_t l, size_t m)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]);
    double r = sqrt(g * g + 1), s = 1, c = 1, p = 0;

    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    for (size_t i = m; i-- > l;) {
        double f = s * e[i], b = c * e[i];

        r = sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate_rows(q + i * n, q + (i + 1) * n, n, c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* Repeats steps until every entry beside the diagonal is rounding error. VD_ERR_DATA when
 * that does not happen, which finite input never showed. */
static enum vd_status diagonalise(double *d, double *e, double *q, size_t n)
{
    for (size_t l = 0; l < n; l++) {
        for (int round = 0;; round++) {
            size_t m = l;

            while (m + 1 < n &&
                   fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])) &&
                   fabs(e[m]) > DBL_MIN)
                m++;
            if (m == l)
                break;
            if (round == 100)
                return VD_ERR_DATA;
            step(d, e, q, n, l, m);
        }
    }
    return VD_OK;
}

static void swap_rows(double *a, double *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double t = a[k];

        a[k] = b[k];
        b[k] = t;
    }
}

/* Sorts by falling eigenvalue and makes each vector's largest component positive, so that
 * the result is unique. */
static void arrange(double *value, double *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t best = i, largest = 0;

        for (size_t j = i + 1; j < n; j++)
            if (value[j] > value[best])
                best = j;
        if (best != i) {
            swap_rows(&value[i], &value[best], 1);
            swap_rows(q + i * n, q + best * n, n);
        }
        for (size_t k = 1; k < n; k++)
            if (fabs(q[i * n + k]) > fabs(q[i * n + largest]))
                largest = k;
        if (q[i * n + largest] < 0)
            for (size_t k = 0; k < n; k++)
                q[i * n + k] = -q[i * n + k];
    }
}

enum vd_status vd__eigen(double *a, double *value, size_t n)
{
    double *q = vd__alloc(n * n, sizeof *q), *work = vd__alloc_zero(3 * n, sizeof *work);
    double *side = work, *beta = work == NULL ? NULL : work + n;
    double scale = 0;
    enum vd_status status = VD_ERR_MEMORY;

    assert(n > 0);
    if (q == NULL || work == NULL)
        goto out;
    for (size_t i = 0; i < n * n; i++)
        scale = fabs(a[i]) > scale ? fabs(a[i]) : scale;
    for (size_t i = 0; scale > 0 && i < n * n; i++)
        a[i] /= scale;
    for (size_t k = 0; k + 1 < n; k++)
        reflect(a, n, k, side, beta, work + 2 * n);
    accumulate(a, n, beta, q);
    for (size_t i = 0; i < n; i++)
        value[i] = a[i * n + i];
    status = diagonalise(value, side, q, n);
    arrange(value, q, n);
    for (size_t i = 0; i < n * n; i++)
        a[i] = q[i];
    for (size_t i = 0; i < n; i++)
        value[i] *= scale;
out:
    vd__free(q);
    vd__free(work);
    return status;
}
