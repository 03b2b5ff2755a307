#include "fit/flow_procedure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "fit/flow_drive.hpp"
#include "fit/flow_file.hpp"
#include "fit/flow_neurons.hpp"
#include "io/agreement.hpp"

namespace rankflow::fit {
namespace {

/// The last value of the held-out data; NaN without any.
double last_judged(const FlowStage& stage) {
  for (auto epoch = static_cast<std::size_t>(stage.now.epoch); epoch-- > 0;)
    if (!std::isnan(stage.validation[epoch])) return stage.validation[epoch];
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

FlowProcedure::FlowProcedure(const FlowRequest& request, const parallel::Communicator& comm, Console& console)
    : request_(request),
      comm_(comm),
      console_(console),
      prepared_(request, comm),
      loadings_flow_(prepared_.loadings_flow),
      state_(request.options.loadings_flow.training.epochs, request.options.conditional_flow.training.epochs) {}

void FlowProcedure::prepare() {
  const auto rows = static_cast<std::int64_t>(prepared_.training_rows.size()) / prepared_.system.variables();
  loadings_.emplace(FlowStageParts{.name = "loadings_flow",
                                   .options = request_.options.loadings_flow,
                                   .start = prepared_.loadings_flow,
                                   .seed = 2 * prepared_.seed(),
                                   .samples = rows,
                                   .teach =
                                       [this](std::int64_t) {
                                         return flow::TrainingSamples{prepared_.training_rows, {}};
                                       },
                                   .validation = {prepared_.validation_rows, {}},
                                   .comm = comm_,
                                   .console = console_},
                    state_.loadings);
}

io::RunFile FlowProcedure::create_file() {
  auto file =
      io::RunFile::create(comm_, request_.output, {.configuration = request_.configuration, .seed = prepared_.seed()},
                          flow_layout(prepared_), io::FileType::flow);
  write_flow_states(file, prepared_);
  return file;
}

void FlowProcedure::begin() {
  if (prepared_.dropped() > 0)
    console_.info("{} pairs of successive rows of the latents are left out (masked, or not a number); {} count",
                  prepared_.dropped(), prepared_.parts[0].rows + prepared_.parts[1].rows + prepared_.parts[2].rows);
}

bool FlowProcedure::run(parallel::HaltMonitor& halt) {
  const auto& options = request_.options;
  const auto pause = options.run.pause_after > 0 ? options.run.pause_after : std::numeric_limits<std::int64_t>::max();
  if (!loadings_->run(halt, pause) || !loadings_->is_done()) return false;
  loadings_flow_.parameters = loadings_->parameters();
  if (epochs_done() >= pause && epochs_done() < epochs_asked()) return false;
  if (!conditional_) conditional_.emplace(prepared_, loadings_flow_, state_, comm_, console_);
  if (!conditional_->run(halt, pause - options.loadings_flow.training.epochs) || !conditional_->is_done()) return false;
  judge();
  return true;
}

/// Fresh neurons of both flows: do they drive the latents as the given ones do?
void FlowProcedure::judge() {
  const auto neurons = request_.options.conditional_flow.judged_neurons;
  if (neurons == 0) return;
  with_context("judging the flows", [&] {
    const auto& sampler = request_.options.sampler;
    std::optional<model::Network<double>> network;
    io::on_all_ranks(comm_, [&] {
      auto loadings =
          draw_loadings(prepared_.system, loadings_flow_, sampler, teaching_stream(prepared_.seed(), judging_iteration),
                        parallel::Partition(neurons, comm_.size(), comm_.rank()));
      auto n = draw_conditional(prepared_.system, conditional_->flow(), sampler,
                                teaching_stream(prepared_.seed(), judging_iteration + 1), loadings);
      network = network_of(prepared_.system, std::move(loadings), std::move(n));
    });
    constexpr std::array names{"training", "validation", "test"};
    for (std::size_t part = 0; part < names.size(); ++part)
      if (prepared_.parts[part].rows > 0)
        judgement_[fmt::format("drift_error_{}", names[part])] = drift_error(*network, prepared_.parts[part], comm_);
    judgement_["neurons"] = neurons;
    for (const auto& [name, value] : judgement_)
      if (const auto* error = std::get_if<double>(&value); error != nullptr && *error >= 1)
        console_.warn(
            "{} is {:.3g}: the sampled neurons' drift is worse than none; train longer, or choose another "
            "ridge.penalty",
            name, *error);
  });
}

std::int64_t FlowProcedure::epochs_asked() const noexcept {
  return request_.options.loadings_flow.training.epochs + request_.options.conditional_flow.training.epochs;
}

std::string FlowProcedure::pause() const {
  const auto after = request_.options.run.pause_after;
  return after > 0 && epochs_done() >= after && epochs_done() < epochs_asked() ? "run.pause_after" : "";
}

/// By epochs; those of the conditional flow take longer.
double FlowProcedure::progress() const {
  return epochs_asked() > 0 ? static_cast<double>(epochs_done()) / static_cast<double>(epochs_asked()) : 1.0;
}

std::string FlowProcedure::note() const {
  const bool second = loadings_->is_done();
  const auto& stage = second ? state_.conditional : state_.loadings;
  const auto epoch = stage.now.epoch;
  auto text = fmt::format("{}, epoch {}/{}", second ? "conditional_flow" : "loadings_flow", epoch, stage.loss.size());
  if (epoch > 0) text += fmt::format(", loss {:.4g}", stage.loss[static_cast<std::size_t>(epoch - 1)]);
  const auto judged = last_judged(stage);
  return std::isnan(judged) ? text : text + fmt::format(" (held out {:.4g})", judged);
}

void FlowProcedure::write_curves(io::RunFile& file) const {
  write_flow_curves(file, state_);
}

void FlowProcedure::write_result(io::RunFile& file) const {
  auto loadings = loadings_flow_;
  loadings.parameters = loadings_->parameters();
  write_flow(file, "/loadings_flow", loadings);
  write_flow(file, "/conditional_flow", conditional_ ? conditional_->flow() : prepared_.conditional_flow);
  auto& h5 = file.file();
  h5.set_attributes("/training", {{"loadings_epochs_done", state_.loadings.now.epoch},
                                  {"conditional_epochs_done", state_.conditional.now.epoch},
                                  {"setbacks", state_.loadings.setbacks + state_.conditional.setbacks},
                                  {"basis_changes", std::max<std::int64_t>(std::ssize(state_.basis), 1) - 1}});
  if (conditional_) h5.set_attributes("/ridge", conditional_->ridge());
  h5.set_attributes("/judgement", judgement_);
}

std::string FlowProcedure::summary() const {
  const auto& system = prepared_.system;
  auto text = fmt::format("rank {}, {} input(s){}, {} and {} epochs", system.rank, system.inputs,
                          system.has_bias ? ", biases" : "", state_.loadings.now.epoch, state_.conditional.now.epoch);
  const auto found = judgement_.find("drift_error_test");
  if (found != judgement_.end())
    text += fmt::format("; the drift of {} sampled neurons is off by {:.3g} (relative, test trials)",
                        request_.options.conditional_flow.judged_neurons, std::get<double>(found->second));
  return text;
}

}  // namespace rankflow::fit
