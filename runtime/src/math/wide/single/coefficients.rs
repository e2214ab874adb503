//! Coefficients of the polynomials for results of single precision, from the constant term on.
//!
//! Each has the least largest relative error that its degree allows over its interval, by Remez's exchange with 50 digits, and
//! was then rounded; the stated error is the relative one after that, evaluated exactly. 2^-31 moves a result by at
//! most 1/128 of a unit in the last place.

/// `2^f` for `|f| <= 1/2`; error 2^-34.5.
pub(super) const EXP2: [f64; 8] = [
    0.9999999999616842,
    0.6931471807284655,
    0.24022651198134817,
    0.05550410353363941,
    0.009618027256460451,
    0.0013333922649916288,
    0.0001546929039271081,
    1.520189943413284e-05,
];
/// `(2^f - 1) / f`, likewise; error 2^-32.0.
pub(super) const EXP2_LESS_ONE: [f64; 7] = [
    0.6931471805815772,
    0.24022650920047733,
    0.0555041072754212,
    0.009618057037380784,
    0.001333366950338447,
    0.0001546132983102304,
    1.525270743315627e-05,
];
/// `sinh(f log(2)) / f` in powers of `f^2`, likewise; error 2^-37.7.
pub(super) const SINH: [f64; 4] = [
    0.6931471805568618,
    0.05550410906114686,
    0.0013333478699042824,
    1.5303640600282695e-05,
];
/// `cosh(f log(2))` in powers of `f^2`, likewise; error 2^-34.6.
pub(super) const COSH: [f64; 4] = [
    0.9999999999607231,
    0.2402265120512473,
    0.009618026507108617,
    0.00015469490768826817,
];
/// `log((1 + s) / (1 - s)) / s` in powers of `s^2`, for `|s| <= 1/5`; error 2^-35.5.
pub(super) const LOG: [f64; 5] = [
    2.0000000000400404,
    0.6666666168361124,
    0.4000099057786351,
    0.2850275667267371,
    0.24147391906853335,
];
/// The same for the logarithm to base 2.
pub(super) const LOG2: [f64; 5] = times(LOG, std::f64::consts::LOG2_E);
/// The same for the logarithm to base 10.
pub(super) const LOG10: [f64; 5] = times(LOG, std::f64::consts::LOG10_E);
/// The same for the logarithm to base 2 with more bits; error 2^-42.4.
pub(super) const LOG2_PRECISE: [f64; 6] = [
    2.885390081777428,
    0.9617966948202841,
    0.5770777567806684,
    0.41222607932341865,
    0.3192880403457732,
    0.29079811389330223,
];
/// `artanh(s) / s` in powers of `s^2`, for `|s| <= 1/3`; error 2^-33.2.
pub(super) const ARCTANH: [f64; 6] = [
    0.999999999901368,
    0.3333333965637106,
    0.19999345201682903,
    0.14310368702066464,
    0.1069653359289534,
    0.12206909219072463,
];
/// `sin(r) / r` in powers of `r^2`, for `|r| <= pi / 2`; error 2^-35.5.
pub(super) const SIN: [f64; 6] = [
    0.9999999999788372,
    -0.1666666660879848,
    0.008333330719539515,
    -0.00019840832694646585,
    2.752396452764297e-06,
    -2.3868230909764534e-08,
];
/// The dividend, then the divisor, of `tan(r) / r` in powers of `r^2`, for `|r| <= pi / 4`; error 2^-35.4.
pub(super) const TAN: [f64; 3] = [
    1.0000000000220983,
    -0.1113614646007017,
    0.001075156406383386,
];
pub(super) const TAN_DIVISOR: [f64; 3] = [1.0, -0.44469479627150854, 0.01597340187623886];
/// `atan(t) / t` in powers of `t^2`, for `|t| <= 1`; error 2^-31.3.
pub(super) const ATAN: [f64; 11] = [
    0.9999999996282802,
    -0.33333323935712966,
    0.1999960463816295,
    -0.1427915958483624,
    0.11054500724583581,
    -0.0879877010126549,
    0.06716103410981478,
    -0.04435744475994306,
    0.02227431859010069,
    -0.007199369799571417,
    0.0010911085113967088,
];
/// `asin(x) / x` in powers of `x^2`, for `|x| <= 1/2`; error 2^-31.9.
pub(super) const ASIN: [f64; 7] = [
    1.0000000002546,
    0.16666656944783154,
    0.07500604103005074,
    0.04450308583366332,
    0.03190081048945608,
    0.014139467536388109,
    0.037885616757761933,
];
/// `erf(x) / x` in powers of `x^2 / 8 - 1`, for `|x| <= 4`; error 2^-31.6.
pub(super) const ERF: [f64; 19] = [
    0.35353099567016577,
    -0.176576235294207,
    0.13167511293939546,
    -0.10771031867930937,
    0.09020908236316874,
    -0.07473010733160948,
    0.05988627080590791,
    -0.0457467997228141,
    0.03306182120849452,
    -0.02255396722646855,
    0.014355062299805347,
    -0.008400796058490301,
    0.004821076862766751,
    -0.002891183960805346,
    0.0013626903363066199,
    -0.00033635873982866804,
    0.00019943560171354548,
    -0.0002438182544310305,
    8.803340099463458e-05,
];
/// `(1 - e)^(-2/3)` for `|e| <= 0.1026`; error 2^-34.8.
pub(super) const CBRT: [f64; 8] = [
    0.9999999999658592,
    0.6666666664284104,
    0.5555556603538307,
    0.49382744517058597,
    0.4526246754440345,
    0.42240791303821545,
    0.4067094775208257,
    0.38991035004603375,
];

/// All coefficients times `factor`.
const fn times<const N: usize>(mut coefficients: [f64; N], factor: f64) -> [f64; N] {
    let mut position = 0;
    while position < N {
        coefficients[position] *= factor;
        position += 1;
    }
    coefficients
}
