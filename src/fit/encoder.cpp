#include "fit/encoder.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "nn/conv1d.hpp"
#include "nn/nonlinearity.hpp"
#include "parallel/draws.hpp"

namespace rankflow::fit {
namespace {

std::int64_t features(const config::EncoderOptions& options, const smc::LatentModel& model) {
  return model.channels() + (options.inputs ? model.inputs() : 0);
}

/// Trials [bounds[r], bounds[r + 1]) are those of rank r.
std::vector<std::int64_t> deal(std::int64_t trials, int ranks) {
  std::vector<std::int64_t> bounds;
  for (int r = 0; r <= ranks; ++r) bounds.push_back(trials * r / ranks);
  return bounds;
}

}  // namespace

EncoderParameters add_encoder_parameters(const config::EncoderOptions& options, smc::LatentModel& model) {
  EncoderParameters encoder;
  std::int64_t inputs = features(options, model);
  for (std::size_t layer = 0; layer < options.kernels.size(); ++layer) {
    const std::int64_t outputs = layer + 1 == options.kernels.size() ? model.rank() : options.channels;
    const auto name = fmt::format("encoder.{}.", layer);
    const auto width = options.kernels[layer];
    encoder.layers.push_back({.weight = model.layout().add(name + "weight", {outputs, width * inputs}),
                              .bias = model.layout().add(name + "bias", {outputs}),
                              .width = width});
    inputs = outputs;
  }
  encoder.mean = model.layout().add("encoder.mean", {model.channels()}, false);
  encoder.std = model.layout().add("encoder.std", {model.channels()}, false);
  return encoder;
}

void initialise_encoder(const EncoderParameters& encoder, const nn::ParameterLayout& layout, std::uint64_t seed,
                        std::span<const double> mean, std::span<const double> std, std::span<double> flat) {
  const parallel::Stream stream(seed, parallel::Purpose::parameter_start);
  for (const auto& layer : encoder.layers) {
    // The variance of PyTorch's default, uniform in +- 1 / sqrt(fan in).
    const double scale = 1 / std::sqrt(3.0 * static_cast<double>(layout.shape(layer.weight)[1]));
    for (const auto id : {layer.weight, layer.bias}) {
      const auto part = layout.part(flat, id);
      parallel::normal<double>(stream, {.index = static_cast<std::uint32_t>(id)}, 0, part);
      for (double& value : part) value *= scale;
    }
  }
  std::ranges::copy(mean, layout.part(flat, encoder.mean).begin());
  std::ranges::copy(std, layout.part(flat, encoder.std).begin());
}

template <class T>
Encoder<T>::Encoder(const config::EncoderOptions& options, const EncoderParameters& where,
                    const smc::LatentModel& model, const parallel::Communicator& comm, std::int64_t trials,
                    std::int64_t times)
    : options_(options),
      where_(where),
      model_(model),
      comm_(comm),
      times_(times),
      rank_(static_cast<std::size_t>(comm.rank())),
      bounds_(deal(trials, comm.size())),
      buffer_(model.layout()),
      sum_(trials, model.layout().total()),
      total_(static_cast<std::size_t>(model.layout().total())) {
  if (options.width() > times)
    throw ConfigurationError(
        "encoder.kernels see {} time steps, but the trials have {} only: choose narrower kernels or longer trials",
        options.width(), times);
  for (std::size_t r = 0; r + 1 < bounds_.size(); ++r)
    counts_.push_back((bounds_[r + 1] - bounds_[r]) * times * model.rank());
  for (std::int64_t trial = 0; trial < local_trials(); ++trial) tapes_.push_back(std::make_unique<ad::Tape>());
  outputs_.resize(tapes_.size());
  mine_.resize(static_cast<std::size_t>(counts_[rank_]));
  guides_.resize(static_cast<std::size_t>(trials * times * model.rank()));
}

/// Standardised observations, 0 where missing, beside the inputs: [T, features].
template <class T>
ad::Array<T> Encoder<T>::read(const smc::FilterData& data, std::int64_t trial, ad::Tape& tape) const {
  const auto channels = model_.channels();
  const auto inputs = options_.inputs ? model_.inputs() : 0;
  const auto width = channels + inputs;
  T* const values = tape.arena().allocate<T>(times_ * width);
  const auto mean = model_.layout().part(buffer_.values(), where_.mean);
  const auto std = model_.layout().part(buffer_.values(), where_.std);
  for (std::int64_t t = 0; t < times_; ++t) {
    const double* observed = data.observations.data() + (trial * times_ + t) * channels;
    const double* given = inputs == 0 ? nullptr : data.inputs.data() + (trial * times_ + t) * inputs;
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      values[t * width + c] = std::isnan(observed[c]) ? T(0) : (static_cast<T>(observed[c]) - mean[i]) / std[i];
    }
    for (std::int64_t k = 0; k < inputs; ++k) values[t * width + channels + k] = static_cast<T>(given[k]);
  }
  return {values, nullptr, times_, width};
}

template <class T>
ad::Array<T> Encoder<T>::apply(const ad::Array<T>& features_read, ad::Tape& tape) {
  const auto padding = options_.causal ? nn::Padding::causal : nn::Padding::centred;
  auto x = features_read;
  for (std::size_t layer = 0; layer < where_.layers.size(); ++layer) {
    const auto& which = where_.layers[layer];
    const auto outputs = model_.layout().count(which.bias);
    if (layer > 0) x = nn::activate(tape, x, nn::Nonlinearity::gelu);
    x = nn::conv1d(tape, x, 1, buffer_.array(which.weight), buffer_.array(which.bias).reshaped(1, outputs), which.width,
                   padding);
  }
  return x;
}

template <class T>
std::span<const double> Encoder<T>::guides(std::span<const double> parameters, const smc::FilterData& data,
                                           bool record) {
  buffer_.load(parameters);
  const auto size = static_cast<std::size_t>(times_ * model_.rank());
  for (std::size_t i = 0; i < tapes_.size(); ++i) {
    auto& tape = *tapes_[i];
    tape.reset();
    tape.set_recording(record);
    outputs_[i] = apply(read(data, bounds_[rank_] + static_cast<std::int64_t>(i), tape), tape);
    std::copy_n(outputs_[i].value, size, mine_.begin() + static_cast<std::ptrdiff_t>(i * size));
  }
  comm_.all_gather(std::span<const double>(mine_), guides_, counts_);
  return guides_;
}

template <class T>
void Encoder<T>::add_gradient(std::span<const double> guide_adjoint, std::span<double> parameter_adjoint) {
  const auto size = static_cast<std::size_t>(times_ * model_.rank());
  sum_.start(bounds_[rank_], bounds_[rank_ + 1]);
  for (std::size_t i = 0; i < tapes_.size(); ++i) {
    const auto adjoint = guide_adjoint.subspan((static_cast<std::size_t>(bounds_[rank_]) + i) * size, size);
    buffer_.zero_adjoints();
    std::transform(adjoint.begin(), adjoint.end(), outputs_[i].adjoint, [](double g) { return static_cast<T>(g); });
    tapes_[i]->backward();
    sum_.add(buffer_.adjoints());
  }
  sum_.finish(comm_, bounds_, total_);
  for (std::size_t i = 0; i < total_.size(); ++i) parameter_adjoint[i] += total_[i];
}

template class Encoder<float>;
template class Encoder<double>;

}  // namespace rankflow::fit
