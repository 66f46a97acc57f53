# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# (The text of these functions is copied into generated listings, where annotations would be noise.)
"""Functions NumPy lacks, in plain vectorised NumPy.

A generated program that needs one of these carries its source text, so each function uses nothing but ``np``
and its own arguments. All take float arrays of any rank (rank 0 included) and keep the dtype; none warns.
The comment above a function, which no listing carries, is its worst error against mpmath, measured with
NumPy 2.4 on an AVX-512 machine and rounded up: float32, then float64, in units of eps * max(1, |f|), and in
brackets in units in the last place. It is over 19,000 or more points of all magnitudes; for functions of an
axis, over normal rows of 2 to 1000 elements of scale 0.001 to 300.
"""

import numpy as np


# 0.84 (2.6), 0.53 (1.8)
# fmt: off
def _erf(x, out=None):
    """Error function: sign(x) * (1 - exp(-h)), where h = -log(erfc(|x|))."""
    # With a = |x|, h = a * (a * p(a) / q(a) + 2/sqrt(pi)): a minimax fit up to where erf has
    # rounded to 1. All coefficients are positive (nothing cancels); q is held as -q, so h
    # becomes -h for free.
    if x.dtype == np.float32:
        top = 4.0
        p = (3.509447909e-4, 0.09338264121, 0.4124209262, 0.6366210368)
        q = (-0.09806754205, -0.4864219331, -1.0)
    else:
        top = 6.0
        p = (1.5580900755445459e-4, 4.5316893709160858e-3, 0.043034060092444366,
             0.21488768662288558, 0.64751379050099182, 1.2073279210060715, 1.3108209533760903,
             0.63661977236759007)
        q = (-1.5582900702409027e-4, -4.7047166760738873e-3, -0.047590851585731065,
             -0.25295396155187286, -0.81290517556134244, -1.6201747659323546,
             -1.8975979108878296, -1.0)
    a = np.minimum(np.abs(x), top)
    h = np.full_like(a, p[0])
    for c in p[1:]:
        h *= a
        h += c
    d = np.full_like(a, q[0])
    for c in q[1:]:
        d *= a
        d += c
    h *= a
    h /= d
    h -= 1.1283791670955126
    h *= a
    np.expm1(h, out=h)
    return np.copysign(h, x, out=h if out is None else out)[()]
# fmt: on


# 0.73 (2.4), 0.71 (1.9)
def _sigmoid(x, out=None):
    """1 / (1 + exp(-x)); where that exponential overflows it is exp(x), to the last subnormal."""
    try:
        with np.errstate(over="raise"):
            into = out if out is not None and not np.may_share_memory(x, out) else None
            e = np.negative(x, out=into)
            e = np.exp(e, out=e if e.ndim else None)
    except FloatingPointError:
        with np.errstate(over="ignore"):
            e = np.exp(-x)
        y = np.where(np.isinf(e), np.exp(np.minimum(x, 0.0)), 1.0 / (1.0 + e))[()]
        return np.add(y, 0.0, out=out)
    e += 1.0
    return np.divide(1.0, e, out=out)


# 1.1 (2.6), 0.70 (1.3)
def _softplus(x, out=None):
    """log(1 + exp(x)); where that exponential overflows it is x."""
    try:
        with np.errstate(over="raise"):
            e = np.exp(x, out=out if out is not None and not np.may_share_memory(x, out) else None)
    except FloatingPointError:
        with np.errstate(over="ignore"):
            e = np.exp(x)
        return np.add(np.where(np.isinf(e), x, np.log1p(e))[()], 0.0, out=out)
    return np.log1p(e, out=out)


# 1.0, 1.0
def _log_cosh(x):
    """log(cosh(x)): log(1 + 2 sinh(x/2)**2) near 0, |x| - log(2) + log(1 + exp(-2 |x|)) beyond."""
    a = np.abs(x)
    s = np.sinh(np.minimum(a, 1.0) * 0.5)
    e = np.exp(-a)
    far = a - 0.6931471805599453
    far += np.log1p(e * e)
    return np.where(a < 1, np.log1p(2 * (s * s)), far)[()]


# 0.81, 1.1
def _logsumexp(x, axis, keepdims):
    """log(sum(exp(x))) over an axis or a tuple of axes, shifted by the maximum."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        m = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
        y = m + np.log(np.add.reduce(np.exp(x - m), axis=axis, keepdims=True))
    y = np.fmax(y, m)  # never below the maximum; where m is infinite, y is nan and m is the value
    return y if keepdims else y.squeeze(axis)[()]


# 1.4, 1.9
def _softmax(x, axis):
    """exp(x) / sum(exp(x)) over an axis, shifted by the maximum; nan where the maximum is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    e /= np.add.reduce(e, axis=axis, keepdims=True)
    return e


# 1.7, 1.9
def _log_softmax(x, axis):
    """Logarithm of softmax, x - logsumexp(x); nan where the maximum is infinite."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        y = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
        y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
    return y


# measured with _softplus: the products add nothing that cancels
def _sigmoid_cross_entropy(x, t):
    """softplus(x) - t x, without their difference: log1p(exp(-|x|)) + ([x > 0] - t) x."""
    return np.log1p(np.exp(-np.abs(x))) + ((x > 0) - t) * x


# 1.2 (2.9), 0.88 (1.4)
def _xlogx(x):
    """The product x * log(x), 0 at 0, nan below."""
    with np.errstate(over="ignore", invalid="ignore"):
        return x * np.log(x + (x == 0))


# 0.93, 0.66
def _xlogy(x, y):
    """The product x * log(y), 0 where x is 0 and y is a number."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where((x == 0) & (y == y), 0.0, x * np.log(y))[()]


# 1.1 (3.4), 0.71 (1.4)
def _log1mexp(x):
    """log(1 - exp(x)) for x <= 0, by whichever of two forms is accurate: they meet at -log(2)."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))[()]


# -- special functions: minimax fits of our own, a ratio of two polynomials each ----------------------------------


def _ratio(x, p, q):
    """The polynomial p over the polynomial q, by their coefficients from the highest power down."""
    y, d = p[0], q[0]
    for c in p[1:]:
        y = y * x + c
    for c in q[1:]:
        d = d * x + c
    return y / d


# fmt: off
# 1.8 (4.8), 1.4 (6.9)
def _erfc(x):
    """1 - erf(x), accurate to the last subnormal of the right tail."""
    # exp(-a * a) times a fit; the square is split at h, a multiple of 1/64 whose square is exact
    if x.dtype == np.float32:
        top = 11.0
        p = (0.03348812109, 0.2325110554, 0.7385064814, 1.244993775, 1.000000007)
        q = (0.05935555939, 0.412138367, 1.338253689, 2.416561285, 2.373373598, 1.0)
    else:
        top = 28.0
        p = (6.287082204347378e-5, 0.0011947395293941399, 0.01111745030409579, 0.06553072689027224,
             0.2675990297795781, 0.7823923931961401, 1.6379785123822803, 2.3774473827162392,
             2.1922953457021097, 1.0)
        q = (0.00011143563064086591, 0.002117620679657167, 0.01976088542215632, 0.11720899944578222,
             0.4841038001511243, 1.443770629343833, 3.1306824612654105, 4.8518538129530295,
             5.1244273236627444, 3.320674512797608, 1.0)
    a = np.minimum(np.abs(x), top)
    h = np.round(a * 64) / 64
    y = np.exp(-h * h) * np.exp((h - a) * (h + a)) * _ratio(a, p, q)
    return np.where(x < 0, 2 - y, y)[()]


# 2.6 (4.1), 1.5 (4.7)
def _erfinv(y):
    """The x of which y is the error function; infinite at 1 and -1, nan beyond."""
    # x / y is a smooth function of w = -log(1 - y * y); float64 takes a Newton step as well
    if y.dtype == np.float32:
        top = 16.7
        p = (2.381497393e-5, 0.0006462858498, 0.007801960763, 0.05985738518, 0.3075711195,
             0.8862269411)
        q = (1.253407809e-6, 0.0001776354306, 0.001904260797, 0.03218717147, 0.08525794545, 1.0)
    else:
        top = 36.8
        p = (1.0177394664462113e-12, 2.1003867514499064e-9, 2.518312754762423e-7,
             3.7232744886249513e-6, 6.769812526170478e-5, 0.0009297689819892943,
             0.009039481676673974, 0.062354395165842125, 0.30149553045412864, 0.8862269253861571)
        q = (7.604512168863601e-11, 3.0329862415474025e-8, 1.2795451577108688e-6,
             1.1809087164933972e-5, 0.0003504613105940487, 0.0021783145518709857,
             0.036801828968754564, 0.07840188396090667, 1.0)
    a = np.abs(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = a * _ratio(np.minimum(-np.log((1 - a) * (1 + a)), top), p, q)
        if y.dtype != np.float32:
            rest = np.where(a > 0.5, (1 - a) - _erfc(x), _erf(x) - a)
            x = x - rest * np.exp(x * x) * 0.8862269254527580
        return np.copysign(np.where(a == 1, np.inf, x), y)[()]



# 1.9 (4.6), 1.4 (5.2) for y that are not subnormal, where erfc itself has fewer digits
def _erfcinv(y):
    """The x of which y is erfc; infinite at 0 and 2, nan beyond."""
    # from 1/2 up 1 - y is exact; below, a rough guess for the tail (Abramowitz and Stegun 26.2.22) and steps of
    # third order on erfc itself
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        small = np.minimum(y, 0.5)
        w = np.log(small)
        t = np.sqrt(1.3862943611198906 - 2 * w)
        x = 0.7071067811865476 * (t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t)))
        for _ in range(2):
            rest = (_erfc(x) / small - 1) * 0.8862269254527580 / np.exp(-x * x - w)
            x = x + rest / (1 - x * rest)
        x = np.where(small == 0, np.inf, x)
        return np.where(y < 0.5, x, _erfinv(1 - y))[()]


# 2.5, 1.9 from 0 up; below 0 the two halves of the reflection cancel: 6.5, 5.3
def _gammaln(x):
    """Logarithm of the size of the gamma function; below 0 by reflection, infinite at its poles."""
    # up to 2: gammaln(1 + t) is t * (t - 1) * fit(t); above: Stirling and a fit of the rest in x**-2
    if x.dtype == np.float32:
        p = (0.001563811258, 0.1179872637, 0.5804624436, 0.5772156513)
        q = (0.0475272896, 0.5429575631, 1.43050976, 1.0)
        r = (0.01200260262, 0.1095424517, 0.08333333317)
        s = (0.179454725, 1.34784227, 1.0)
    else:
        p = (1.3226721299744443e-6, 0.0006051976577219201, 0.019139873062913024,
             0.19032223515796484, 0.8128447085915614, 1.658778942703243, 1.592658841843613,
             0.5772156649015329)
        q = (0.00015620768946008614, 0.008090318876202936, 0.12120489420575414, 0.772661086344715,
             2.431709628232869, 3.957357307661613, 3.184096208961549, 1.0)
        r = (0.04798385174277863, 1.116480705929775, 3.579272917861466, 3.2342126060834993,
             0.9678968055668181, 0.0833333333333333)
        s = (0.8261930086947005, 14.569430610544666, 44.153793528874786, 39.18929729696209,
             11.64809500013457, 1.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        a = np.abs(x)
        t, b = np.minimum(a, 2.0), np.maximum(a, 2.0)
        low = t * (t - 1) * _ratio(t, p, q)
        high = (b - 0.5) * (np.log(b) - 1) + 0.41893853320467274 + _ratio(1 / (b * b), r, s) / b
        mirror = np.log(np.pi / np.abs(np.sin(np.pi * (x - np.round(x)))))
        left = mirror - np.where(a < 2, low, high + np.log(b))
        return np.where(x < 0, left, np.where(a < 2, low - np.log(t), high))[()]


# 1.7, 2.7 from 0 up; below 0 as gammaln: 8.8, 8.8 down to -1000
def _digamma(x):
    """The derivative of gammaln; below 0 by reflection, nan at its poles."""
    # up to 2: digamma(1 + t) is a fit; above: log(x) - 1 / (2 * x) and a fit of the rest in x**-2
    if x.dtype == np.float32:
        p = (0.001758001626, 0.1820767081, 0.9967225675, 0.7512866719, -0.5772156602)
        q = (0.05310418466, 0.6027576095, 1.548202745, 1.0)
        r = (0.02024180406, 0.1405313505, 0.08333333219)
        s = (0.3740673098, 1.786372658, 1.0)
    else:
        p = (7.551092147508252e-7, 0.00046309959221765303, 0.017133938849838673, 0.1912384428843094,
             0.8384378730801266, 1.4071483409033914, 0.40251951227278127, -0.5772156649015329)
        q = (9.408174939988885e-5, 0.0051931688698399255, 0.08239249063001315, 0.5384663915748589,
             1.6135999648739245, 2.1524269525626716, 1.0)
        r = (0.10553888647037589, 2.0932605473744776, 5.569042093876387, 4.262001499999887,
             1.1020964325200682, 0.08333333333333301)
        s = (2.5598350380022628, 30.34655640842403, 71.4868651258466, 52.42891467308072,
             13.325157190234428, 1.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        t, b = np.minimum(np.abs(x), 2.0), np.maximum(np.abs(x), 2.0)
        low, u = _ratio(t, p, q), 1 / (b * b)
        high = np.log(b) - u * _ratio(u, r, s)
        turn = np.pi * (x - np.round(x))
        left = np.where(b > 2, high + 0.5 / b, low) - np.pi / np.where(turn == 0, np.nan, np.tan(turn))
        return np.where(x < 0, left, np.where(b > 2, high - 0.5 / b, low - 1 / x))[()]
# fmt: on


def _zeta(s, z):
    """The sum of (z + k)**-s over k from 0 on, for s > 1 and z >= 0."""
    # 16 terms, and the rest by Euler's and Maclaurin's formula
    rest = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -5.284190138687493e-10, 1 / 74724249600)
    a = z + 16
    y, term = 0.5, s / a
    for j, c in enumerate(rest):
        y, term = y + c * term, term * ((s + 2 * j + 1) * (s + 2 * j + 2)) / (a * a)
    y = a ** (1 - s) / (s - 1) + y * a**-s
    for k in range(15, -1, -1):
        y = y + (z + k) ** -s
    return y


# 0.5 (0.5), 1.4 (19) for n up to 20
def _polygamma(n, x):
    """The derivative of order n of digamma, n from 1 to 170; below 0 by reflection."""
    z, s = np.asarray(x, np.float64), np.asarray(n, np.float64) + 1
    odd = np.asarray(n) % 2 == 1
    with np.errstate(all="ignore"):
        y = _zeta(s, np.abs(z))
        if np.any(
            z < 0
        ):  # the sum over all k is known from one period; take off those that are not from 0 on
            turn = np.where(odd, 1.0, -1.0)
            whole = _zeta(s, z - np.floor(z)) + turn * _zeta(s, np.ceil(z) - z)
            y = np.where(z < 0, whole - turn * _zeta(s, 1 + np.abs(z)), y)
        y = y * np.cumprod(np.arange(1.0, 171.0))[np.clip(n, 1, 170) - 1]
        return np.where((s > 1) & (s < 172), np.where(odd, y, -y), np.nan).astype(x.dtype)[()]


# -- labels ---------------------------------------------------------------------------------------------------------


def _one_hot(t, n, dtype):
    """Rows of the n x n identity picked by the integer labels t: shape t.shape + (n,)."""
    if n <= 64:
        return np.eye(n, dtype=dtype).take(t, axis=0)
    rows = np.zeros((t.size, n), dtype=dtype)
    rows[np.arange(t.size), t.reshape(-1)] = 1
    return rows.reshape((*t.shape, n))


def _picked(marks, values):
    """The sum of the values at the ones of marks, which are 1 or 0."""
    total = np.vdot(marks, values)
    return total if total == total else values[marks > 0].sum()  # 0 times infinity is nan


def _argmax_one_hot(x, axis):
    """1 at the first maximum along an axis, 0 elsewhere, in the shape and dtype of x."""
    if (
        x.shape[axis] <= 16 and x.size >= 4096
    ):  # a few long rows take a fraction of the time of many short ones
        rows = np.moveaxis(x, axis, 0).copy()
        hit = (rows == rows.max(axis=0)) | (rows != rows)
        taken = hit[0].copy()
        for row in hit[1:]:
            np.greater(row, taken, out=row)
            taken |= row
        return np.ascontiguousarray(np.moveaxis(hit.astype(x.dtype), 0, axis))
    y = np.zeros_like(x)
    np.put_along_axis(y, x.argmax(axis=axis, keepdims=True), 1, axis=axis)
    return y


# -- statistics -----------------------------------------------------------------------------------------------------


def _sample_count(x, axes):
    """How many values stand along axes; statistics of a batch need at least 2."""
    count = int(np.prod([x.shape[axis] for axis in axes]))
    if count < 2:
        raise ValueError(
            f"a batch with {count} of the values that are normalised together has no spread: "
            "train with larger batches, or leave out a last batch of one"
        )
    return x.dtype.type(count)
