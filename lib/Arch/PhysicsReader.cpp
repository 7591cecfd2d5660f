// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells, lines and converters as a device sees them.

#include "PhysicsReader.h"

using namespace cim;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using Object = llvm::json::Object;

namespace {
/// Copies keys of a section into an object.
class Copier {
public:
  Copier(const Section &section, Object &to) : section(section), to(to) {}

  void word(StringRef key, ArrayRef<StringRef> words) {
    if (section.find(key))
      to[key] = words[section.oneOf(key, words)];
  }
  void figure(StringRef key, Dimension dimension, Bounds bounds) {
    if (auto figure = section.figureIfAny(key, dimension, bounds))
      to[key] = figure->value;
  }
  bool numbers(StringRef key, size_t least, size_t most) {
    std::vector<double> numbers = section.numbersIfAny(key, least, most);
    if (!numbers.empty())
      to[key] = llvm::json::Array(numbers);
    return !numbers.empty();
  }

private:
  const Section &section;
  Object &to;
};
} // namespace

static constexpr size_t mostFaults = 100000;

/// A row or column of a fault: -1 for `all`.
static std::optional<int64_t> faultPlace(const YAMLNode &node, int64_t end) {
  if (node.text == "all")
    return -1;
  std::optional<int64_t> number = parseWhole(node.text);
  if (!number || *number < 0 || *number >= end)
    return std::nullopt;
  return number;
}

static void readFaults(const Section &cells, const ArrayBounds &bounds,
                       Object &to) {
  const YAMLNode *list = cells.find("faults");
  if (!list || cells.hasFailed())
    return;
  if (!list->isList() || list->items.size() > mostFaults)
    return cells.fail(*list, "expected a list of at most " + Twine(mostFaults) +
                                 " faults, each [array, row, column, level]");
  int64_t arrays = bounds.count ? bounds.count : 1 << 20;
  llvm::json::Array faults;
  for (const YAMLNode &item : list->items) {
    if (!item.isList() || item.items.size() != 4)
      return cells.fail(item, "expected a fault: [array, row, column, level], "
                              "row and column may be 'all'");
    std::optional<int64_t> array = parseWhole(item.items[0].text);
    std::optional<int64_t> row = faultPlace(item.items[1], bounds.rows);
    std::optional<int64_t> column = faultPlace(item.items[2], bounds.columns);
    std::optional<int64_t> level = parseWhole(item.items[3].text);
    if (!array || *array < 0 || *array >= arrays || !row || !column || !level ||
        *level < bounds.cellLo || *level > bounds.cellHi)
      return cells.fail(item, "expected a fault within the arrays and the "
                              "levels of a cell");
    faults.push_back(llvm::json::Array{*array, *row, *column, *level});
  }
  if (!faults.empty())
    to["faults"] = std::move(faults);
}

Object cim::readCells(const Section &root, const ArrayBounds &bounds) {
  Object to;
  auto cells =
      root.open("cells", {"mapping", "distribution", "dependence", "on_off",
                          "stuck_on", "stuck_off", "faults", "model", "program",
                          "drift", "drift_spread", "drift_start", "flicker",
                          "flicker_time", "age", "compensation", "source"});
  if (!cells)
    return to;
  Copier copy(*cells, to);
  copy.word("mapping", {"differential", "offset"});
  copy.word("distribution", {"normal", "lognormal", "uniform"});
  copy.word("dependence", {"proportional", "additive", "inverse"});
  copy.figure("on_off", Dimension::Number, {1, 1e9, /*loOpen=*/true});
  copy.figure("stuck_on", Dimension::Fraction, Bounds::share());
  copy.figure("stuck_off", Dimension::Fraction, Bounds::share());
  double on = to.getNumber("stuck_on").value_or(0);
  double off = to.getNumber("stuck_off").value_or(0);
  if (on + off > 1 && !cells->hasFailed())
    cells->fail(*cells->find("stuck_off"),
                "expected 'stuck_on' and 'stuck_off' to be at most 100 % "
                "together");
  readFaults(*cells, bounds, to);

  StringRef own[] = {"program",     "drift",   "drift_spread",
                     "drift_start", "flicker", "flicker_time"};
  copy.word("model",
            {"none", "pcm", "pcm-hermes-1", "pcm-hermes-2", "pcm-joshi",
             "reram-wan", "reram-cmo", "reram-milo", "sonos"});
  if (to.getString("model").value_or("none") != "none")
    for (StringRef key : own)
      if (const YAMLNode *node = cells->find(key))
        cells->fail(*node, "'" + key +
                               "' belongs to cells without a 'model': "
                               "a model brings its own");
  copy.numbers("program", 1, 5);
  copy.figure("drift", Dimension::Number, Bounds::notNegative());
  copy.figure("drift_spread", Dimension::Number, Bounds::notNegative());
  copy.figure("drift_start", Dimension::Time, Bounds::positive());
  copy.figure("flicker", Dimension::Fraction, Bounds::share());
  copy.figure("flicker_time", Dimension::Time, Bounds::positive());
  copy.figure("age", Dimension::Time, Bounds::notNegative());
  copy.word("compensation", {"none", "global"});
  cells->text("source");
  return to;
}

Object cim::readPulses(const Section &input) {
  Object to;
  Copier copy(input, to);
  copy.figure("jitter", Dimension::Fraction, Bounds::notNegative());
  size_t encoding =
      input.oneOf("encoding", {"pulse-width", "bit-serial", "sliced"});
  if (encoding == 0) {
    for (StringRef key : {"slice_bits", "accumulation", "slice_gain"})
      if (const YAMLNode *node = input.find(key))
        input.fail(*node, "'" + key +
                              "' needs 'encoding: bit-serial' or "
                              "'encoding: sliced'");
    return to;
  }
  if (const YAMLNode *node = input.find("jitter"))
    input.fail(*node, "'jitter' needs 'encoding: pulse-width'");
  if (encoding == 1 && input.find("slice_bits"))
    input.fail(*input.find("slice_bits"),
               "'slice_bits' needs 'encoding: "
               "sliced'; bit-serial slices have one bit");
  to["slice_bits"] = encoding == 1 ? 1 : input.whole("slice_bits", 1, 8);
  copy.word("accumulation", {"digital", "analog"});
  copy.figure("slice_gain", Dimension::Number, Bounds::positive());
  return to;
}

Object cim::readLines(const Section &root) {
  Object to;
  auto lines =
      root.open("lines", {"attenuation", "compression", "spread", "curve",
                          "full_scale", "headroom", "wire_resistance",
                          "cell_conductance", "temperature", "source"});
  if (!lines)
    return to;
  Copier copy(*lines, to);
  copy.figure("attenuation", Dimension::Fraction, Bounds::share());
  copy.figure("compression", Dimension::Fraction, Bounds::notNegative());
  copy.figure("spread", Dimension::Fraction, Bounds::notNegative());
  copy.word("curve", {"rational", "exponential"});
  copy.figure("full_scale", Dimension::Number, Bounds::positive());
  copy.figure("headroom", Dimension::Fraction, Bounds::positive());
  copy.figure("wire_resistance", Dimension::Resistance, Bounds::notNegative());
  copy.figure("cell_conductance", Dimension::Conductance, Bounds::positive());
  copy.figure("temperature", Dimension::Temperature, Bounds::positive());
  if (const YAMLNode *node = lines->find("wire_resistance"))
    if (!lines->find("cell_conductance"))
      lines->fail(*node, "'wire_resistance' needs 'cell_conductance'");
  lines->text("source");
  return to;
}

Object cim::readConverter(const Section &adc, int64_t bits) {
  Object to;
  Copier copy(adc, to);
  copy.word("architecture", {"ideal", "ramp", "sar", "sar-split"});
  copy.figure("capacitor_mismatch", Dimension::Fraction, Bounds::notNegative());
  copy.figure("amplifier_gain", Dimension::Gain, Bounds::positive());
  for (StringRef key : {"capacitor_mismatch", "amplifier_gain"})
    if (to.getString("architecture").value_or("ideal") == "ideal" &&
        adc.find(key))
      adc.fail(*adc.find(key), "'" + key +
                                   "' needs an 'architecture' with a DAC: "
                                   "ramp, sar or sar-split");
  constexpr int64_t mostBits = 10;
  for (StringRef key : {"capacitor_mismatch", "amplifier_gain", "inl", "dnl"})
    if (bits > mostBits && adc.find(key))
      adc.fail(*adc.find(key), "'" + key + "' takes converters of at most " +
                                   Twine(mostBits) + " bits");
  size_t thresholds = (size_t(1) << std::min(bits, mostBits)) - 1;
  bool inl = copy.numbers("inl", thresholds, thresholds);
  if (adc.find("dnl")) {
    // Widths of the codes between the outer ones; the first threshold is exact.
    std::vector<double> widths =
        adc.numbersIfAny("dnl", thresholds - 1, thresholds - 1);
    if (inl)
      adc.fail(*adc.find("dnl"), "expected 'inl' or 'dnl', not both");
    llvm::json::Array sums({0.0});
    double sum = 0;
    for (double width : widths)
      sums.push_back(sum += width);
    to["inl"] = std::move(sums);
  }
  if (adc.find("columns_per_adc"))
    to["columns_per_adc"] = adc.whole("columns_per_adc", 1, 1 << 20);
  if (adc.find("calibration_reads"))
    to["calibration_reads"] = adc.whole("calibration_reads", 2, 1 << 16);
  return to;
}
