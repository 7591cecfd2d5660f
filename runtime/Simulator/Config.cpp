// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Config.h. JSON's exceptions end here.

#include "Simulator/Config.h"
#include "Support/Error.h"

#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

using namespace cim;
using namespace cim::sim;
using Json = nlohmann::json;

namespace {
/// One section of the description. Every key that is read is remembered, so
/// that finish() can refuse the others.
class Section {
public:
  Section(const Json &root, const char *name) : name(name) {
    auto at = root.find(name);
    if (at == root.end())
      return;
    if (!at->is_object())
      throw std::runtime_error(rt::format("%s is not an object", name));
    json = &*at;
  }

  const Json *find(const char *key) {
    known.push_back(key);
    if (!json)
      return nullptr;
    auto it = json->find(key);
    return it == json->end() ? nullptr : &*it;
  }

  template <typename T>
  void number(const char *key, double least, double most, T &to) {
    if (const Json *found = find(key))
      to = T(check(key, *found, least, most, std::is_integral_v<T>));
  }

  template <typename T>
  void word(const char *key, std::initializer_list<const char *> words, T &to) {
    const Json *found = find(key);
    if (!found)
      return;
    std::string text = found->is_string() ? found->get<std::string>() : "";
    std::string list;
    int index = 0;
    for (const char *word : words) {
      if (text == word) {
        to = T(index);
        return;
      }
      list += (index++ ? ", " : "") + std::string(word);
    }
    throw std::runtime_error(rt::format("%s.%s is %s, expected one of %s", name,
                                        key, found->dump().c_str(),
                                        list.c_str()));
  }

  void numbers(const char *key, size_t most, std::vector<float> &to) {
    const Json *found = find(key);
    if (!found)
      return;
    if (!found->is_array() || found->empty() || found->size() > most)
      throw std::runtime_error(rt::format(
          "%s.%s is not a list of 1 to %zu numbers", name, key, most));
    for (const Json &item : *found)
      to.push_back(float(check(key, item, -1e6, 1e6, false)));
  }

  double check(const char *key, const Json &found, double least, double most,
               bool integer) const {
    double value = found.is_number() ? found.get<double>() : NAN;
    if (!(value >= least && value <= most) ||
        (integer && value != std::floor(value)))
      throw std::runtime_error(rt::format(
          "%s.%s is %s, expected %s %g .. %g", name, key, found.dump().c_str(),
          integer ? "an integer" : "a number", least, most));
    return value;
  }

  /// An effect that is silently ignored is worse than none.
  void refuseOthers() const {
    if (!json)
      return;
    for (const auto &item : json->items()) {
      std::string list;
      bool found = false;
      for (const char *key : known) {
        found |= item.key() == key;
        list += (list.empty() ? "" : ", ") + std::string(key);
      }
      if (!found)
        throw std::runtime_error(rt::format("%s.%s is unknown, expected one of "
                                            "%s",
                                            name, item.key().c_str(),
                                            list.c_str()));
    }
  }

private:
  const char *name;
  const Json *json = nullptr;
  std::vector<const char *> known;
};
} // namespace

static void parseInput(const Json &root, Config &config) {
  InputEffects &i = config.effects.input;
  Section input(root, "input");
  input.number("bits", 1, 8, config.inputBits);
  input.number("jitter", 0, 1e6, i.jitter);
  input.number("slice_bits", 1, 8, i.sliceBits);
  input.word("accumulation", {"digital", "analog"}, i.analogSum);
  input.number("slice_gain", 1e-6, 1e6, i.sliceGain);
  if (i.sliceBits && i.jitter != 0)
    throw std::runtime_error("input.jitter is of one pulse, not of slices");
}

static void parseNoise(const Json &root, Effects &effects) {
  Section noise(root, "noise");
  noise.number("read", 0, 1e6, effects.readSigma);
  noise.number("static", 0, 1e6, effects.staticSigma);
  noise.number("adc_offset", 0, 1e6, effects.adcOffset);
  noise.number("adc_gain", 0, 1e6, effects.adcGain);
  noise.number("adc_noise", 0, 1e6, effects.adcNoise);
  noise.number("philox_rounds", 7, 10, effects.philoxRounds);
  if (effects.philoxRounds != 7 && effects.philoxRounds != 10)
    throw std::runtime_error(rt::format("noise.philox_rounds is %u, expected 7 "
                                        "or 10",
                                        effects.philoxRounds));
  noise.refuseOthers();
}

static void parseFaults(Section &section, std::vector<Fault> &faults) {
  const Json *list = section.find("faults");
  if (!list)
    return;
  for (const Json &item : *list) {
    if (!item.is_array() || item.size() != 4)
      throw std::runtime_error("cells.faults: expected lists of array, row, "
                               "column and level");
    auto integer = [&](int i, double least, double most) {
      return int32_t(section.check("faults", item[i], least, most, true));
    };
    faults.push_back({uint32_t(integer(0, 0, 1 << 20)), integer(1, -1, 1 << 20),
                      integer(2, -1, 1 << 20), integer(3, -127, 127)});
  }
}

static void parseCells(const Json &root, CellEffects &c) {
  Section cells(root, "cells");
  cells.word("mapping", {"differential", "offset"}, c.offset);
  cells.word("distribution", {"normal", "lognormal", "uniform"},
             c.distribution);
  cells.word("dependence", {"proportional", "additive", "inverse"},
             c.dependence);
  cells.number("on_off", 1.0000001, 1e9, c.onOff);
  cells.number("stuck_on", 0, 1, c.stuckOn);
  cells.number("stuck_off", 0, 1 - c.stuckOn, c.stuckOff);
  parseFaults(cells, c.faults);
  cells.word("model",
             {"none", "pcm", "pcm-hermes-1", "pcm-hermes-2", "pcm-joshi",
              "reram-wan", "reram-cmo", "reram-milo", "sonos"},
             c.model);
  cells.numbers("program", 5, c.program);
  cells.number("drift", 0, 1e6, c.drift);
  cells.number("drift_spread", 0, 1e6, c.driftSpread);
  cells.number("drift_start", 1e-12, 1e15, c.driftStart);
  cells.number("flicker", 0, 1e6, c.flicker);
  cells.number("flicker_time", 1e-15, 1e15, c.flickerTime);
  cells.number("age", 0, 1e15, c.age);
  cells.word("compensation", {"none", "global"}, c.compensate);
  cells.refuseOthers();
}

static void parseLines(const Json &root, const rt::ArrayShape &array,
                       LineEffects &l) {
  Section lines(root, "lines");
  lines.number("attenuation", 0, 1, l.attenuation);
  lines.number("compression", 0, 1e6, l.compression);
  lines.number("spread", 0, 1e6, l.spread);
  lines.word("curve", {"rational", "exponential"}, l.exponential);
  lines.number("full_scale", 1e-6, 1e12, l.fullScale);
  lines.number("headroom", 1e-6, 1e6, l.headroom);
  lines.number("wire_resistance", 0, 1e9, l.wireResistance);
  lines.number("cell_conductance", 0, 1e3, l.cellConductance);
  lines.number("temperature", 1, 1e4, l.temperature);
  lines.refuseOthers();
  if (l.attenuation != 0 && !array.columns)
    throw std::runtime_error("lines.attenuation needs array.columns");
}

static void parseConverter(const Json &root, ConverterEffects &c) {
  Section adc(root, "adc");
  adc.word("architecture", {"ideal", "ramp", "sar", "sar-split"},
           c.architecture);
  adc.number("capacitor_mismatch", 0, 1e3, c.mismatch);
  adc.number("amplifier_gain", 0, 300, c.amplifierGain);
  adc.numbers("inl", 1023, c.inl);
  adc.number("columns_per_adc", 1, 1 << 20, c.columnsPerAdc);
  adc.number("calibration_reads", 2, 1 << 16, c.calibrationReads);
  // What a layer says counts: bits, lo, hi and rounding are for others.
}

static void parse(const Json &object, Config &config) {
  if (!object.is_object())
    throw std::runtime_error("not an object");
  Section array(object, "array");
  array.number("rows", 1, 1 << 20, config.array.rows);
  array.number("columns", 1, 1 << 20, config.array.columns);
  array.number("cell_lo", -127, 0, config.cellLo);
  array.number("cell_hi", 1, 127, config.cellHi);
  parseInput(object, config);
  parseNoise(object, config.effects);
  parseCells(object, config.effects.cells);
  parseLines(object, config.array, config.effects.lines);
  parseConverter(object, config.effects.converter);
}

cim_status cim::sim::parseConfig(const char *json, Config &config) {
  config = Config();
  if (!json)
    return CIM_OK;
  try {
    parse(Json::parse(json), config);
    return CIM_OK;
  } catch (const std::exception &e) {
    return rt::fail(CIM_INVALID_ARGUMENT, "bad device description: %s",
                    e.what());
  }
}
