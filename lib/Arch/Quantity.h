// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers with units, as target descriptions write them: "44.4 ns", "2 %".
#ifndef CIM_LIB_ARCH_QUANTITY_H
#define CIM_LIB_ARCH_QUANTITY_H

#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace cim {

enum class Dimension {
  Number,            ///< no unit
  Fraction,          ///< "%"; 2 % is 0.02
  Lsb,               ///< ADC codes
  Time,              ///< seconds
  Frequency,         ///< hertz
  Energy,            ///< joules
  Area,              ///< mm2
  Voltage,           ///< volts
  Throughput,        ///< op/s; a MAC is two
  ThroughputDensity, ///< op/s/mm2
  Efficiency,        ///< op/s/W = op/J
  CellDensity,       ///< cells/mm2
  Gain,              ///< dB
  Resistance,        ///< ohm
  Conductance,       ///< siemens
  Temperature,       ///< kelvin
};

/// The value of `text` in the unit named at `Dimension`. On failure returns
/// nothing and says in `error` what was expected.
std::optional<double> parseQuantity(llvm::StringRef text, Dimension dimension,
                                    std::string &error);

/// A whole number in decimal; nothing if `text` is anything else or does not
/// fit.
std::optional<int64_t> parseWhole(llvm::StringRef text);

} // namespace cim

#endif // CIM_LIB_ARCH_QUANTITY_H
