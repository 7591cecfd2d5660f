// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The schema of target descriptions, section by section (docs/Targets.md).

#include "PhysicsReader.h"
#include "Section.h"
#include "cim/Arch/Arch.h"
#include <algorithm>

using namespace cim;
using llvm::StringRef;
using llvm::Twine;

namespace cim {

class ArchReader {
public:
  explicit ArchReader(llvm::MemoryBufferRef buffer)
      : buffer(buffer), diagnoser(buffer) {}

  llvm::Expected<Arch> read();

private:
  void readRoot(const YAMLNode &root);
  void readArray(const Section &root);
  void readInput(const Section &root);
  void readAdc(const Section &root);
  void readTiming(const Section &root);
  void readNoise(const Section &root);
  void readPhysics(const Section &root);
  void readSupply(const Section &root);
  void readEnergy(const Section &root);
  void readArea(const Section &root);
  void readAnchors(const Section &root);

  llvm::MemoryBufferRef buffer;
  Diagnoser diagnoser;
  const YAMLNode *cellLevels = nullptr;
  Arch::Spec spec;
};

} // namespace cim

void ArchReader::readArray(const Section &root) {
  auto array = root.open("array",
                         {"rows", "columns", "count", "cell_levels",
                          "max_cells_per_weight", "source"},
                         /*required=*/true);
  if (!array)
    return;
  spec.rows = array->whole("rows", 1, 1 << 20);
  spec.columns = array->whole("columns", 1, 1 << 20);
  if (const YAMLNode *count = array->require("count")) {
    std::optional<int64_t> number = parseWhole(count->text);
    if (count->text != "unlimited" && (!number || *number < 1))
      array->fail(*count, "expected 'unlimited' or a whole number of arrays "
                          "for 'count', found '" +
                              count->text + "'");
    spec.arrayCount = number.value_or(0);
  }
  spec.maxCellsPerWeight = array->whole("max_cells_per_weight", 1, 1 << 20);
  array->text("source");

  const YAMLNode *levels = cellLevels = array->require("cell_levels");
  if (!levels)
    return;
  std::optional<int64_t> bounds[2];
  if (levels->items.size() == 2)
    for (int i : {0, 1})
      bounds[i] = parseWhole(levels->items[i].text);
  // int8 is what a cell image holds.
  if (!bounds[0] || !bounds[1] || *bounds[0] < -127 || *bounds[1] > 127)
    return array->fail(*levels, "expected the smallest and largest level of a "
                                "cell, from -127 to 127, such as [-1, 1]");
  spec.cell = {*bounds[0], *bounds[1]};
  if (spec.cell.lo > 0 || spec.cell.hi < 1 || spec.cell.lo >= spec.cell.hi)
    array->fail(
        *levels,
        "expected levels, smallest first, that include 0 and 1, found [" +
            Twine(spec.cell.lo) + ", " + Twine(spec.cell.hi) + "]");
}

void ArchReader::readInput(const Section &root) {
  auto input = root.open("input",
                         {"bits", "signs", "encoding", "jitter", "slice_bits",
                          "accumulation", "slice_gain", "source"},
                         /*required=*/true);
  if (!input)
    return;
  size_t signs = input->oneOf("signs", {"both", "signed", "unsigned"});
  spec.signedInput = signs != 2;
  spec.unsignedInput = signs != 1;
  // Activations travel as int8 or uint8; one signed bit is only 0.
  spec.inputBits = input->whole("bits", spec.signedInput ? 2 : 1, 8);
  spec.pulses = readPulses(*input);
  input->text("source");
}

void ArchReader::readAdc(const Section &root) {
  auto adc = root.open("adc",
                       {"bits", "rounding", "range", "architecture",
                        "capacitor_mismatch", "amplifier_gain", "inl", "dnl",
                        "columns_per_adc", "calibration_reads", "source"},
                       /*required=*/true);
  if (!adc)
    return;
  spec.adcSymmetric =
      adc->oneOf("range", {"twos-complement", "symmetric"}) == 1;
  // One bit of two's complement has no positive code to set a gain by.
  spec.adcBits = adc->whole("bits", 2, 16);
  spec.adcRounding = Arch::Rounding(
      adc->oneOf("rounding", {"nearest-even", "floor", "mid-rise"}));
  if (spec.adcRounding == Arch::Rounding::MidRise && spec.adcSymmetric)
    adc->fail(*adc->find("range"),
              "mid-rise codes are symmetric by themselves: expected 'range: "
              "twos-complement'");
  spec.converter = readConverter(*adc, spec.adcBits);
  adc->text("source");
}

void ArchReader::readTiming(const Section &root) {
  auto timing = root.open("timing", {"mvm", "digital_clock", "row_write"},
                          /*required=*/true);
  if (!timing)
    return;
  spec.mvmTime = timing->figure("mvm", Dimension::Time, Bounds::positive());
  spec.digitalClock =
      timing->figure("digital_clock", Dimension::Frequency, Bounds::positive());
  spec.rowWrite =
      timing->figureIfAny("row_write", Dimension::Time, Bounds::positive());
}

void ArchReader::readNoise(const Section &root) {
  auto noise = root.open("noise", {"read", "static", "adc_offset", "adc_gain",
                                   "adc_noise", "philox_rounds"});
  auto read = [&](StringRef key, Dimension dimension, double fallback) {
    Bounds bounds = dimension == Dimension::Fraction ? Bounds::share()
                                                     : Bounds::notNegative();
    if (noise)
      if (auto figure = noise->figureIfAny(key, dimension, bounds))
        return *figure;
    return Arch::Figure{fallback, "unsourced default (docs/Targets.md)"};
  };
  spec.noise.read = read("read", Dimension::Fraction, 0.02);
  spec.noise.staticVariation = read("static", Dimension::Fraction, 0.05);
  spec.noise.adcOffset = read("adc_offset", Dimension::Lsb, 0);
  spec.noise.adcGain = read("adc_gain", Dimension::Fraction, 0);
  spec.noise.adcNoise = read("adc_noise", Dimension::Lsb, 0);
  spec.noise.philoxRounds = 7;
  if (noise && noise->find("philox_rounds"))
    spec.noise.philoxRounds =
        noise->oneOf("philox_rounds", {"7", "10"}) == 1 ? 10 : 7;

  // The simulator holds a cell with its variation in an int8 (Numerics.md
  // section 5); 4 sigma must fit.
  double top = double(std::max(-spec.cell.lo, spec.cell.hi));
  if (!diagnoser.hasFailed() &&
      top * (1 + 4 * spec.noise.staticVariation.value) > 127)
    root.fail(*cellLevels,
              "expected levels that leave room for the static variation: "
              "level * (1 + 4 * noise.static) is at most 127");
}

void ArchReader::readPhysics(const Section &root) {
  ArrayBounds bounds = {spec.rows, spec.columns, spec.arrayCount, spec.cell.lo,
                        spec.cell.hi};
  spec.cells = readCells(root, bounds);
  spec.lines = readLines(root);
}

void ArchReader::readSupply(const Section &root) {
  auto supply = root.open("supply", {"nominal", "exponent"});
  if (!supply)
    return;
  spec.supply.emplace();
  spec.supply->nominal =
      supply->figure("nominal", Dimension::Voltage, Bounds::positive());
  spec.supply->exponent =
      supply->figure("exponent", Dimension::Number, Bounds::notNegative());
}

void ArchReader::readEnergy(const Section &root) {
  auto energy = root.open("energy", {"dac", "adc", "gate", "line", "control",
                                     "activity", "row_write"});
  if (!energy)
    return;
  auto joules = [&](StringRef key) {
    return energy->figure(key, Dimension::Energy, Bounds::notNegative());
  };
  Arch::Energy &result = spec.energy.emplace();
  result.dac = joules("dac");
  result.adc = joules("adc");
  result.gate = joules("gate");
  result.line = joules("line");
  if (energy->find("control"))
    result.control = joules("control");
  result.activity =
      energy->figureIfAny("activity", Dimension::Fraction, Bounds::share())
          .value_or(Arch::Figure{1, "default: every pulse at full width"});
  if (energy->find("row_write"))
    result.rowWrite = joules("row_write");
}

void ArchReader::readArea(const Section &root) {
  auto area = root.open("area", {"cell", "dac", "adc", "control"});
  if (!area)
    return;
  Arch::Area &result = spec.area.emplace();
  result.cell = area->figure("cell", Dimension::Area, Bounds::positive());
  auto optional = [&](StringRef key) {
    return area->figureIfAny(key, Dimension::Area, Bounds::notNegative())
        .value_or(Arch::Figure{0, "not given"});
  };
  result.dac = optional("dac");
  result.adc = optional("adc");
  result.control = optional("control");
}

void ArchReader::readAnchors(const Section &root) {
  const YAMLNode *list = root.find("anchors");
  if (!list || diagnoser.hasFailed())
    return;
  if (!list->isList())
    return root.fail(*list, "expected a list of anchors, each '- { metric: "
                            "..., value: ..., source: ... }'");
  for (const YAMLNode &item : list->items) {
    Section fields(diagnoser, item, "an anchor",
                   {"metric", "value", "supply", "tolerance", "source"});
    Arch::Anchor anchor;
    size_t metric = fields.oneOf("metric", {"throughput", "throughput_density",
                                            "efficiency", "cell_density"});
    anchor.metric = Arch::Metric(metric);
    constexpr Dimension dimensions[] = {
        Dimension::Throughput, Dimension::ThroughputDensity,
        Dimension::Efficiency, Dimension::CellDensity};
    anchor.value =
        fields.quantity("value", dimensions[metric], Bounds::positive());
    anchor.text = fields.text("value");
    if (fields.find("supply")) {
      anchor.supply =
          fields.quantity("supply", Dimension::Voltage, Bounds::positive());
      if (!spec.supply)
        fields.fail(*fields.find("supply"),
                    "anchor at a supply voltage needs the section 'supply'");
    }
    anchor.tolerance =
        fields.find("tolerance")
            ? fields.quantity("tolerance", Dimension::Fraction, Bounds::share())
            : 0.05;
    anchor.source = fields.text("source");
    if (diagnoser.hasFailed())
      return;
    spec.anchors.push_back(std::move(anchor));
  }
}

void ArchReader::readRoot(const YAMLNode &root) {
  if (!root.isMap())
    return diagnoser.fail(root.where,
                          "expected a target description: 'key: value' lines");
  // A host has no chip to describe.
  bool host = false;
  for (const YAMLEntry &entry : root.entries)
    host |= entry.key.text == "kind" && entry.value.text == "host";

  static constexpr StringRef keys[] = {
      "name",  "description", "kind",   "projection", "array",
      "input", "adc",         "timing", "noise",      "cells",
      "lines", "supply",      "energy", "area",       "anchors"};
  constexpr size_t hostKeys = 3;
  Section section(
      diagnoser, root, host ? "a target of kind 'host'" : "the target",
      llvm::ArrayRef(keys).take_front(host ? hostKeys : std::size(keys)));
  spec.name = section.text("name");
  spec.description = section.text("description");
  spec.host = section.oneOf("kind", {"crossbar", "host"}) == 1;
  spec.projection = section.flag("projection", false);
  if (host || diagnoser.hasFailed())
    return;
  readArray(section);
  readInput(section);
  readAdc(section);
  readTiming(section);
  readNoise(section);
  readPhysics(section);
  readSupply(section);
  readEnergy(section);
  readArea(section);
  readAnchors(section);
}

llvm::Expected<Arch> ArchReader::read() {
  llvm::Expected<YAMLNode> root = readYAML(buffer);
  if (!root)
    return root.takeError();
  readRoot(*root);
  if (diagnoser.hasFailed())
    return diagnoser.take();
  return Arch(std::make_shared<const Arch::Spec>(std::move(spec)));
}

llvm::Expected<Arch> Arch::parse(llvm::MemoryBufferRef yaml) {
  return ArchReader(yaml).read();
}
