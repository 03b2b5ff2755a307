#pragma once
#include <cstdint>

#include "config/options.hpp"

namespace rankflow::config {

/// Which system of equations is solved for n: see connectivity/ridge.
enum class RidgeForm { automatic, neurons, times, reduced, iterative };

/// The maximum-entropy estimate of n: a Gaussian prior, or ridge regression with this penalty.
struct RidgeOptions {
  double penalty = 4e-4;
  bool evidence = false;
  RidgeForm form = RidgeForm::automatic;
  double tolerance = 1e-6;

  template <class V>
  void describe(V& v) {
    v.real("penalty", penalty,
           {.doc = "lambda of (1/T) sum_t |y_t - (1/N) sum_i n_i phi_i(t)|^2 + lambda (1/N) sum_i |n_i|^2; not "
                   "used with evidence = true",
            .above = 0.0});
    v.flag("evidence", evidence, {.doc = "estimate the penalty from the data by maximising the evidence"});
    v.choice("form", form,
             {{"automatic", RidgeForm::automatic, "whichever costs least"},
              {"neurons", RidgeForm::neurons, "N equations, direct"},
              {"times", RidgeForm::times, "T equations, direct"},
              {"reduced", RidgeForm::reduced, "as many as the visited features have dimensions"},
              {"iterative", RidgeForm::iterative, "conjugate gradients on the whole system (PETSc)"}},
             {.doc = "which equations are solved"});
    v.real("tolerance", tolerance,
           {.doc = "relative residual that form = \"iterative\" reaches, and error of the reduced features",
            .above = 0.0,
            .below = 1.0});
  }
};

}  // namespace rankflow::config
