#pragma once

namespace rankflow::parallel {

/// log of the Poisson probability of `count` (a whole number ≥ 0) at mean `mean` > 0, with an absolute error
/// near rounding even where count·log(mean) − mean − log(count!) would cancel all digits.
/// Source: C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
double log_poisson_probability(double count, double mean);

}  // namespace rankflow::parallel
