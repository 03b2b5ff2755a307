#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ad/tape.hpp"
#include "config/smc_options.hpp"
#include "nn/parameters.hpp"
#include "parallel/communicator.hpp"
#include "parallel/tree_sum.hpp"
#include "smc/latent_model.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::fit {

/// Where the encoder's parameters lie in the flat vector of a model.
struct EncoderParameters {
  using Id = nn::ParameterLayout::Id;
  struct Layer {
    Id weight;  ///< "encoder.<layer>.weight" [outputs, width * inputs]
    Id bias;    ///< "encoder.<layer>.bias" [outputs]
    std::int64_t width = 0;
  };
  std::vector<Layer> layers;
  Id mean, std;  ///< "encoder.mean", "encoder.std" [D]: not trained, they standardise what the encoder reads
};

/// Adds the encoder's parameters behind those of the model.
EncoderParameters add_encoder_parameters(const config::EncoderOptions& options, smc::LatentModel& model);
/// Their random start; mean and std as given, per channel.
void initialise_encoder(const EncoderParameters& encoder, const nn::ParameterLayout& layout, std::uint64_t seed,
                        std::span<const double> mean, std::span<const double> std, std::span<double> flat);

/// Reads the means of the encoder's Gaussian from a batch: convolutions over time with GELU between them (Pals et al.
/// 2024, suppl. B). Trials are dealt to ranks; gradients are added over trials in one fixed order. T: precision.
template <class T>
class Encoder {
 public:
  /// For batches of this shape; model and comm must outlive it. Throws ConfigurationError when a kernel stack sees more
  /// steps than a trial has.
  Encoder(const config::EncoderOptions& options, const EncoderParameters& where, const smc::LatentModel& model,
          const parallel::Communicator& comm, std::int64_t trials, std::int64_t times);

  /// Means [B, T, R] at the flat parameters, until the next call; the same on every rank. Collective.
  std::span<const double> guides(std::span<const double> parameters, const smc::FilterData& data, bool record);
  /// Adds to the adjoint of the flat vector, given that of the guides last made with `record`. Collective.
  void add_gradient(std::span<const double> guide_adjoint, std::span<double> parameter_adjoint);

 private:
  ad::Array<T> read(const smc::FilterData& data, std::int64_t trial, ad::Tape& tape) const;
  ad::Array<T> apply(const ad::Array<T>& features, ad::Tape& tape);
  std::int64_t local_trials() const { return bounds_[rank_ + 1] - bounds_[rank_]; }

  config::EncoderOptions options_;
  EncoderParameters where_;
  const smc::LatentModel& model_;
  const parallel::Communicator& comm_;
  std::int64_t times_;
  std::size_t rank_;
  std::vector<std::int64_t> bounds_, counts_;
  nn::ParameterBuffer<T> buffer_;
  std::vector<std::unique_ptr<ad::Tape>> tapes_;  ///< of each local trial
  std::vector<ad::Array<T>> outputs_;
  std::vector<double> mine_, guides_;
  parallel::TreeSum sum_;
  std::vector<double> total_;
};

}  // namespace rankflow::fit
