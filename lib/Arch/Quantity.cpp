// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The units a target description may use.

#include "Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <cmath>

using namespace cim;
using llvm::StringRef;

namespace {

struct Unit {
  StringRef name;
  double factor;
};

struct DimensionInfo {
  StringRef name, example;
  llvm::SmallVector<Unit, 8> units;
};

} // namespace

static DimensionInfo describe(Dimension dimension) {
  switch (dimension) {
  case Dimension::Number:
    return {"a number", "2.54", {}};
  case Dimension::Fraction:
    return {"a percentage", "2 %", {{"%", 1e-2}}};
  case Dimension::Lsb:
    return {"ADC codes", "0.5 lsb", {{"lsb", 1}}};
  case Dimension::Time:
    return {"a time",
            "44.4 ns",
            {{"ps", 1e-12},
             {"ns", 1e-9},
             {"us", 1e-6},
             {"ms", 1e-3},
             {"s", 1},
             {"h", 3600},
             {"d", 86400},
             {"y", 31536000}}};
  case Dimension::Frequency:
    return {"a frequency",
            "260 MHz",
            {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}}};
  case Dimension::Energy:
    return {"an energy",
            "224 fJ",
            {{"aJ", 1e-18},
             {"fJ", 1e-15},
             {"pJ", 1e-12},
             {"nJ", 1e-9},
             {"uJ", 1e-6},
             {"mJ", 1e-3},
             {"J", 1}}};
  case Dimension::Area:
    return {"an area", "1.94 mm2", {{"um2", 1e-6}, {"mm2", 1}}};
  case Dimension::Voltage:
    return {"a voltage", "0.8 V", {{"mV", 1e-3}, {"V", 1}}};
  case Dimension::Throughput:
    return {"a throughput",
            "23.6 TOP/s",
            {{"GOP/s", 1e9},
             {"TOP/s", 1e12},
             {"POP/s", 1e15},
             {"TMAC/s", 2e12},
             {"PMAC/s", 2e15}}};
  case Dimension::ThroughputDensity:
    return {"a throughput per area",
            "12.1 TOP/s/mm2",
            {{"GOP/s/mm2", 1e9},
             {"TOP/s/mm2", 1e12},
             {"POP/s/mm2", 1e15},
             {"TMAC/s/mm2", 2e12},
             {"PMAC/s/mm2", 2e15}}};
  case Dimension::Efficiency:
    return {"an efficiency",
            "1300 TOP/s/W",
            {{"GOP/s/W", 1e9}, {"TOP/s/W", 1e12}, {"POP/s/W", 1e15}}};
  case Dimension::CellDensity:
    return {"a cell density",
            "16 Mcells/mm2",
            {{"cells/mm2", 1}, {"kcells/mm2", 1e3}, {"Mcells/mm2", 1e6}}};
  case Dimension::Gain:
    return {"a gain", "60 dB", {{"dB", 1}}};
  case Dimension::Resistance:
    return {"a resistance",
            "0.35 ohm",
            {{"mohm", 1e-3}, {"ohm", 1}, {"kohm", 1e3}}};
  case Dimension::Conductance:
    return {"a conductance",
            "25 uS",
            {{"nS", 1e-9}, {"uS", 1e-6}, {"mS", 1e-3}, {"S", 1}}};
  case Dimension::Temperature:
    return {"a temperature", "300 K", {{"K", 1}}};
  }
  return {};
}

/// "224 fJ (224 aJ, fJ, ...)": what a diagnostic tells the user to write.
static std::string expectation(const DimensionInfo &info) {
  std::string text =
      ("expected " + info.name + " such as '" + info.example + "'").str();
  if (info.units.size() < 2)
    return text;
  text += " (units:";
  for (const Unit &unit : info.units)
    text += (llvm::Twine(" ") + unit.name).str();
  return text + ")";
}

std::optional<double> cim::parseQuantity(StringRef text, Dimension dimension,
                                         std::string &error) {
  DimensionInfo info = describe(dimension);
  error = (expectation(info) + ", found '" + text + "'").str();

  // "1e-3 s", "1.5": the exponent is part of the number only if digits follow.
  size_t length = text.find_first_not_of("0123456789.+-");
  StringRef rest = text.substr(length);
  if (rest.consume_front("e") || rest.consume_front("E")) {
    StringRef exponent = rest;
    if (!exponent.consume_front("-"))
      exponent.consume_front("+");
    size_t digits = exponent.take_while(llvm::isDigit).size();
    if (digits)
      length = exponent.data() + digits - text.data();
  }
  StringRef number = text.take_front(length);
  StringRef unitName = text.drop_front(number.size()).trim();

  double value;
  if (number.empty() || number.getAsDouble(value) || !std::isfinite(value))
    return std::nullopt;
  if (info.units.empty())
    return unitName.empty() ? std::optional<double>(value) : std::nullopt;
  for (const Unit &unit : info.units)
    if (unit.name == unitName)
      return value * unit.factor;
  return std::nullopt;
}

std::optional<int64_t> cim::parseWhole(StringRef text) {
  int64_t value;
  text.consume_front("+");
  if (text.getAsInteger(10, value))
    return std::nullopt;
  return value;
}
