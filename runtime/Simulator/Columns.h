// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines and converters of one chip (docs/Numerics.md, section 5.3).
#ifndef CIM_RUNTIME_SIMULATOR_COLUMNS_H
#define CIM_RUNTIME_SIMULATOR_COLUMNS_H

#include "Simulator/Config.h"
#include "Simulator/Kernel.h"
#include "Simulator/Normal.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cim::sim {

using Thresholds = std::shared_ptr<const std::vector<float>>;

/// What a converter with these thresholds makes of x, before its range.
float codeOf(const std::vector<float> &thresholds, float x);

/// How a search can begin: of n thresholds that x reaches, i of
/// floor(x + start), at least i - below and at most i + above.
struct Guess {
  float start;
  uint32_t below = 0, above = 0;

  /// Learns about one more converter.
  void include(const std::vector<float> &thresholds);
};

/// A ColumnStage with its memory, and the converters.
struct ColumnTables {
  std::vector<float> attenuation, compression, fullScale, limit;
  std::vector<Thresholds> thresholds;
  bool exponential = false;

  bool bends() const {
    return !attenuation.empty() || !compression.empty() || !limit.empty();
  }
  bool empty() const { return !bends() && thresholds.empty(); }
  /// The stage from column n on.
  ColumnStage from(uint32_t n) const;
  /// What arrives at the converter of column n, of x codes on its line.
  float bend(uint32_t n, float x) const;
  /// What the converter of column n gets to compare: a code already where it
  /// has thresholds.
  float compare(uint32_t n, float x) const {
    return thresholds.empty() ? x : codeOf(*thresholds[n], x);
  }
};

/// One value per column of a block, drawn for its converter: mean + sigma n;
/// empty when sigma is 0.
std::vector<float> converterDraws(const Config &config, PhiloxKey key,
                                  const cim_block &block, Draw draw, float mean,
                                  float sigma);

/// What a digital correction knows about a converter: code = gain x + offset.
struct Measured {
  float gain = 1, offset = 0;
};

/// Makes the tables of one layer's blocks.
class Columns {
public:
  Columns(const Config &config, PhiloxKey key, const cim_layer &layer);

  /// What the simulator cannot do, or an empty string.
  std::string problem() const;
  /// `gain` is that of one read.
  ColumnTables tablesOf(const cim_block &block, float gain);

  /// Measures the converter of a column of `block`, as a chip does before it
  /// runs a network.
  Measured measure(const cim_block &block, uint32_t n);

private:
  float capacitor(uint32_t array, uint32_t converter, uint32_t i,
                  float nominal) const;
  std::vector<float> sharesOf(uint32_t array, uint32_t converter) const;
  std::vector<float> levelsOf(uint32_t array, uint32_t converter) const;
  Thresholds thresholdsOf(uint32_t array, uint32_t converter);

  const Config &config;
  const LineEffects &lines;
  const ConverterEffects &effects;
  PhiloxKey key;
  const cim_layer &layer;
  uint32_t bits = 0; // of the converter
  std::map<std::pair<uint32_t, uint32_t>, Thresholds> known;
};

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_COLUMNS_H
