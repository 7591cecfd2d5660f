// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads what the device is told about the target.

#include "Chip.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace cim::reference;
using Json = nlohmann::json;

/// A number of `section` within [least, most]; an error text, or empty.
template <typename T>
static std::string read(const Json &section, const std::string &name,
                        const char *key, double least, double most, T &to) {
  if (!section.contains(key))
    return "";
  const Json &found = section[key];
  double value = found.is_number() ? found.get<double>() : NAN;
  bool whole = std::is_floating_point_v<T> || value == std::floor(value);
  if (!(value >= least && value <= most) || !whole)
    return name + "." + key + " is " + found.dump() + ", out of range";
  to = T(value);
  return "";
}

static std::string readNoise(const Json &noise, Mode mode, Config &config) {
  struct {
    const char *key;
    float *to;
  } effects[] = {{"read", &config.read},
                 {"static", &config.staticVariation},
                 {"adc_offset", &config.adcOffset},
                 {"adc_gain", &config.adcGain},
                 {"adc_noise", &config.adcNoise}};
  for (const auto &effect : effects) {
    std::string error = read(noise, "noise", effect.key, 0, 1e6, *effect.to);
    if (!error.empty())
      return error;
  }
  // To leave out an effect that is asked for would be another chip.
  for (const auto &item : noise.items())
    if (mode == Mode::Analog &&
        std::none_of(std::begin(effects), std::end(effects),
                     [&](const auto &e) { return item.key() == e.key; }))
      return "the reference device has no effect noise." + item.key();
  return "";
}

std::string cim::reference::readConfig(const char *json, Mode mode,
                                       Config &config) {
  config = Config();
  if (!json)
    return "";
  Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return "the target is not a JSON object";
  Json empty = Json::object();
  auto section = [&](const char *name) -> const Json & {
    return object.contains(name) ? object[name] : empty;
  };
  for (const char *name : {"array", "input", "noise"})
    if (!section(name).is_object())
      return std::string(name) + " is not an object";
  const Json &array = section("array");
  constexpr double most = 1 << 20;
  for (const std::string &error :
       {read(array, "array", "rows", 1, most, config.arrayRows),
        read(array, "array", "columns", 1, most, config.arrayColumns),
        read(array, "array", "cell_lo", -127, 0, config.cellLo),
        read(array, "array", "cell_hi", 1, 127, config.cellHi),
        read(section("input"), "input", "bits", 1, 8, config.inputBits),
        readNoise(section("noise"), mode, config)})
    if (!error.empty())
      return error;
  return "";
}
