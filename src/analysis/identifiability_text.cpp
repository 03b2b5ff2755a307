#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/identifiability_file.hpp"

namespace rankflow::analysis {
namespace {

/// Eigenvalues and functionals that are listed one by one; the rest is in the file.
constexpr std::size_t most_modes = 12;
constexpr std::size_t most_functionals = 60;
/// Of a functional's prior variance, what the data must take away to count as required, and below which it is free.
constexpr double required_share = 0.9, free_share = 0.1;
/// Standard deviations to either side of a 95 % interval.
constexpr double interval_95 = 1.959963984540054;
/// The given n is at odds with the data when it misses this much more of the drive than the estimate, and this share.
constexpr double notable_ratio = 10, notable_misfit = 1e-2;

std::string spectrum_text(const IdentifiabilityReport& report) {
  const auto& spectrum = report.spectrum;
  const auto& gamma = spectrum.eigenvalues;
  std::string out = fmt::format(
      "lambda {:.4g} ({}): noise variance {:.3g} of the drive, prior variance {:.3g} of n; variance left over {:.3g}\n"
      "effective degrees of freedom {:.4g} of {} per latent: what the data determine; the other {:.6g} are a guess\n",
      spectrum.penalty, spectrum.evidence ? "by evidence" : "given", spectrum.assumed.noise, spectrum.assumed.prior,
      spectrum.noise_seen, spectrum.effective, report.neurons,
      static_cast<double>(report.neurons) - spectrum.effective);
  out += fmt::format("\n{:>6}{:>14}{:>14}  of the visited features (of {} kept, error {:.1e})\n", "mode", "eigenvalue",
                     "determined", gamma.size(), spectrum.error);
  for (std::size_t k = 0; k < std::min(most_modes, static_cast<std::size_t>(gamma.size())); ++k) {
    const double value = gamma[static_cast<Eigen::Index>(k)];
    out += fmt::format("{:>6}{:>14.5g}{:>14.4f}\n", k + 1, value, value / (value + spectrum.penalty));
  }
  return out;
}

std::string judgement_of(double determined) {
  return determined >= required_share ? "required" : determined <= free_share ? "a guess" : "partly required";
}

/// A given value outside the interval that the data leave.
const char* agreement_of(const NamedFunctional& functional, std::size_t latent) {
  const double apart = std::abs(functional.given[latent] - functional.estimate[latent]);
  return apart > interval_95 * functional.deviation ? "; given lies outside" : "";
}

std::string functionals_text(const IdentifiabilityReport& report) {
  std::string out = fmt::format("\n{:<24}{:>8}{:>12}{:>12}{:>12}{:>12}\n", "functional of n (over N)", "latent",
                                "given", "estimate", "95 % +-", "determined");
  for (std::size_t f = 0; f < std::min(most_functionals, report.functionals.size()); ++f) {
    const auto& functional = report.functionals[f];
    for (std::size_t r = 0; r < functional.given.size(); ++r)
      out += fmt::format("{:<24}{:>8}{:>12.4g}{:>12.4g}{:>12.2g}{:>12.4f}  {}{}\n", functional.name, r + 1,
                         functional.given[r], functional.estimate[r], interval_95 * functional.deviation,
                         functional.determined(), judgement_of(functional.determined()), agreement_of(functional, r));
  }
  if (report.functionals.size() > most_functionals)
    out += fmt::format("… and {} more, in the file\n", report.functionals.size() - most_functionals);
  return out;
}

std::string parts_text(const IdentifiabilityReport& report) {
  const auto& parts = report.parts;
  std::string out = fmt::format("\n{:<12}{:>12}{:>12}{:>12}{:>14}{:>14}\n", "given n", "size (rms)", "required", "free",
                                "drive", "drive of free");
  for (std::size_t r = 0; r < parts.size.size(); ++r)
    out += fmt::format("{:<12}{:>12.4g}{:>12.4g}{:>12.4g}{:>14.4g}{:>14.3g}\n", fmt::format("latent {}", r + 1),
                       parts.size[r], parts.required[r], parts.free[r], parts.drive[r], parts.free_drive[r]);
  const double estimate = report.spectrum.misfit;
  const bool at_odds = parts.misfit > notable_misfit && parts.misfit > notable_ratio * estimate;
  out += fmt::format("of the data's drive the given n misses {:.3g} of the mean square, the estimate {:.3g}{}\n",
                     parts.misfit, estimate,
                     at_odds ? ": the given n does NOT have the latents' dynamics; its parts say nothing of them" : "");
  return out + fmt::format(
                   "a change of the free part of size s (rms over neurons) moves the drive at visited states by less "
                   "than {:.3g} s (rms)\n",
                   parts.free_bound);
}

std::string coverage_text(const IdentifiabilityReport& report) {
  const auto& coverage = report.coverage;
  std::string out = fmt::format(
      "\nflow field at visited states: standard deviation at most {:.3g} of that without data; below {:.3g} at most of "
      "them\n",
      coverage.worst_visited, coverage.limit);
  if (coverage.side == 0) return out + "no map of where it is known: only for rank 1 to 3\n";
  return out +
         fmt::format(
             "known as well in {:.1f}% of the visited box, {:.1f}% of the box with its margin; visited {:.1f}%\n{}",
             100 * coverage.supported_box, 100 * coverage.supported_all, 100 * coverage.visited_all,
             coverage_picture(coverage));
}

std::string tail_cell(const TailEstimate& tail) {
  if (tail.kind == TailKind::undecided) return "undecided";
  if (tail.kind == TailKind::heavy) return fmt::format("{:.2f} [{:.2f}, {:.2f}]", tail.index, tail.lower, tail.upper);
  const double least = tail.index_at_least();
  return std::isfinite(least) ? fmt::format("light (> {:.1f})", least) : "light";
}

std::string tail_judgement(const ComponentTails& tails) {
  const bool required = tails.required.kind == TailKind::heavy;
  if (tails.given.kind != TailKind::heavy) return required ? "a heavy tail is required" : "no heavy tail";
  return required ? "its tail is required" : "its tail is free: light weights have the same dynamics";
}

std::string tails_text(const IdentifiabilityReport& report) {
  std::string out =
      fmt::format("\n{:<12}{:>22}{:>22}{:>22}{:>22}\n", "tail index", "m", "given n", "E[n | m, b, d]", "rest of n");
  for (std::size_t r = 0; r < report.tails.size(); ++r) {
    const auto& tails = report.tails[r];
    out +=
        fmt::format("{:<12}{:>22}{:>22}{:>22}{:>22}  {}\n", fmt::format("latent {}", r + 1), tail_cell(tails.loading),
                    tail_cell(tails.given), tail_cell(tails.required), tail_cell(tails.free), tail_judgement(tails));
  }
  return out;
}

std::string conditions_text(const IdentifiabilityReport& report) {
  std::string out = fmt::format("\n{:<38}{:<16}{:>11}{:>13}\n", "condition for a unique n", "", "found", "asked for");
  std::size_t missed = 0;
  for (const auto& condition : report.conditions) {
    if (condition.verdict == Verdict::not_met) ++missed;
    const bool applies = condition.verdict != Verdict::not_applicable;
    out += fmt::format("{:<38}{:<16}{:>11}{:>13}  {}\n", condition.name, name_of(condition.verdict),
                       applies ? fmt::format("{:.3g}", condition.value) : "-",
                       applies ? fmt::format("{} {:.3g}", condition.at_most ? "<=" : ">=", condition.limit) : "-",
                       condition.meaning);
  }
  return out + (missed == 0 ? "all are met: the data have one n\n"
                            : fmt::format("{} not met: n is not unique; what is called required above holds under the "
                                          "Gaussian prior that lambda stands for\n",
                                          missed));
}

}  // namespace

std::string identifiability_text(const IdentifiabilityReport& report) {
  return fmt::format("{} neurons, rank {}, {} input(s); {} visited rows, {} left out\n", report.neurons, report.rank,
                     report.inputs, report.rows, report.dropped) +
         spectrum_text(report) + functionals_text(report) + parts_text(report) + coverage_text(report) +
         tails_text(report) + conditions_text(report);
}

}  // namespace rankflow::analysis
