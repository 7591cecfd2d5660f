// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads what the device is told about the target (docs/Targets.md, sections 2
// and 3).

#include "Chip.h"

#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>

using namespace cim::reference;
using Json = nlohmann::json;

namespace {
/// One section of the description. The first problem stays in `error`.
class Section {
public:
  Section(const Json &target, const char *name, std::string &error)
      : name(name), error(error) {
    if (target.contains(name))
      json = target[name];
    if (!json.is_object())
      complain("is not an object");
  }

  template <typename T>
  void number(const char *key, double least, double most, T &to) {
    if (const Json *found = find(key))
      to = T(checked(key, *found, least, most, std::is_integral_v<T>));
  }

  void word(const char *key, std::initializer_list<const char *> words,
            std::string &to) {
    const Json *found = find(key);
    if (!found)
      return;
    if (found->is_string())
      for (const char *word : words)
        if (*found == word) {
          to = word;
          return;
        }
    complain(std::string(key) + " is an unknown word");
  }

  void list(const char *key, std::vector<float> &to) {
    const Json *found = find(key);
    if (!found)
      return;
    if (!found->is_array() || found->empty())
      return complain(std::string(key) + " is not a list");
    for (const Json &item : *found)
      to.push_back(float(checked(key, item, -1e6, 1e6, false)));
  }

  /// [array, row, column, level]; row and column -1: all.
  void faults(const char *key, std::vector<Fault> &to) {
    const Json *found = find(key);
    for (const Json &item : found ? *found : Json::array()) {
      if (!item.is_array() || item.size() != 4)
        return complain(std::string(key) + " is not a list of cells");
      auto at = [&](int i, double least, double most) {
        return int64_t(checked(key, item[size_t(i)], least, most, true));
      };
      to.push_back({at(0, 0, 1 << 20), at(1, -1, 1 << 20), at(2, -1, 1 << 20),
                    int32_t(at(3, -127, 127))});
    }
  }

  /// To leave out an effect that is asked for would be another chip.
  void refuseOthers() {
    for (const auto &item : json.items())
      if (!known.count(item.key()))
        complain(item.key() + " is unknown to the reference device");
  }

private:
  const Json *find(const char *key) {
    known.insert(key);
    return error.empty() && json.contains(key) ? &json[key] : nullptr;
  }

  double checked(const char *key, const Json &value, double least, double most,
                 bool whole) {
    double number = value.is_number() ? value.get<double>() : NAN;
    if (number >= least && number <= most &&
        (!whole || number == std::floor(number)))
      return number;
    complain(std::string(key) + " is " + value.dump() + ", out of range");
    return least;
  }

  void complain(const std::string &what) {
    if (error.empty())
      error = name + "." + what;
  }

  std::string name;
  Json json = Json::object();
  std::set<std::string> known;
  std::string &error;
};
} // namespace

static void readInput(Section &input, Config &config) {
  InputConfig &i = config.input;
  input.number("bits", 1, 8, config.inputBits);
  input.number("slice_bits", 1, 8, i.sliceBits);
  input.word("accumulation", {"digital", "analog"}, i.accumulation);
  input.number("slice_gain", 1e-6, 1e6, i.sliceGain);
  input.number("jitter", 0, 1e6, i.jitter);
}

static void readNoise(Section &noise, Config &config) {
  noise.number("read", 0, 1e6, config.read);
  noise.number("static", 0, 1e6, config.staticVariation);
  noise.number("adc_offset", 0, 1e6, config.adcOffset);
  noise.number("adc_gain", 0, 1e6, config.adcGain);
  noise.number("adc_noise", 0, 1e6, config.adcNoise);
  noise.number("philox_rounds", 7, 10, config.philoxRounds);
  noise.refuseOthers();
}

static void readCells(Section &cells, CellConfig &c) {
  cells.word("mapping", {"differential", "offset"}, c.mapping);
  cells.word("distribution", {"normal", "lognormal", "uniform"},
             c.distribution);
  cells.word("dependence", {"proportional", "additive", "inverse"},
             c.dependence);
  cells.number("on_off", 1.0000001, 1e9, c.onOff);
  cells.number("stuck_on", 0, 1, c.stuckOn);
  cells.number("stuck_off", 0, 1, c.stuckOff);
  cells.faults("faults", c.faults);
  cells.word("model",
             {"none", "pcm", "pcm-hermes-1", "pcm-hermes-2", "pcm-joshi",
              "reram-wan", "reram-cmo", "reram-milo", "sonos"},
             c.model);
  cells.list("program", c.program);
  cells.number("drift", 0, 1e6, c.drift);
  cells.number("drift_spread", 0, 1e6, c.driftSpread);
  cells.number("drift_start", 1e-12, 1e15, c.driftStart);
  cells.number("flicker", 0, 1e6, c.flicker);
  cells.number("flicker_time", 1e-15, 1e15, c.flickerTime);
  cells.number("age", 0, 1e15, c.age);
  cells.word("compensation", {"none", "global"}, c.compensation);
  cells.refuseOthers();
}

static void readLines(Section &lines, LineConfig &l) {
  lines.number("attenuation", 0, 1, l.attenuation);
  lines.number("compression", 0, 1e6, l.compression);
  lines.number("spread", 0, 1e6, l.spread);
  lines.word("curve", {"rational", "exponential"}, l.curve);
  lines.number("full_scale", 1e-6, 1e12, l.fullScale);
  lines.number("headroom", 1e-6, 1e6, l.headroom);
  lines.number("wire_resistance", 0, 1e9, l.wireResistance);
  lines.number("cell_conductance", 0, 1e3, l.cellConductance);
  lines.number("temperature", 1, 1e4, l.temperature);
  lines.refuseOthers();
}

static void readConverter(Section &adc, ConverterConfig &c) {
  adc.word("architecture", {"ideal", "ramp", "sar", "sar-split"},
           c.architecture);
  adc.number("capacitor_mismatch", 0, 1e3, c.mismatch);
  adc.number("amplifier_gain", 0, 300, c.amplifierGain);
  adc.list("inl", c.inl);
  adc.number("columns_per_adc", 1, 1 << 20, c.columnsPerAdc);
  adc.number("calibration_reads", 2, 1 << 16, c.calibrationReads);
}

std::string cim::reference::readConfig(const char *text, Mode mode,
                                       Config &config) {
  config = Config();
  if (!text)
    return "";
  Json target = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!target.is_object())
    return "the target is not a JSON object";
  std::string error;
  auto section = [&](const char *name) { return Section(target, name, error); };
  Section array = section("array"), input = section("input");
  array.number("rows", 1, 1 << 20, config.arrayRows);
  array.number("columns", 1, 1 << 20, config.arrayColumns);
  array.number("cell_lo", -127, 0, config.cellLo);
  array.number("cell_hi", 1, 127, config.cellHi);
  readInput(input, config);
  if (mode != Mode::Analog)
    return error;
  Section noise = section("noise"), cells = section("cells"),
          lines = section("lines"), adc = section("adc");
  readNoise(noise, config);
  readCells(cells, config.cells);
  readLines(lines, config.lines);
  readConverter(adc, config.converter);
  if (config.philoxRounds != 7 && config.philoxRounds != 10)
    return "noise.philox_rounds is neither 7 nor 10";
  if (config.input.jitter != 0 && config.input.sliceBits != 0)
    return "input.jitter is of one pulse, not of slices";
  if (config.lines.attenuation != 0 && config.arrayColumns == 0)
    return "lines.attenuation needs array.columns";
  return error;
}
