// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CIM_REFERENCE_RECORD=DIR writes down what the device is told and what it
// computes, as .npy and .json files; test/Integration/recording.py reads them.
#ifndef CIM_REFERENCE_RECORD_H
#define CIM_REFERENCE_RECORD_H

#include "Chip.h"

namespace cim::reference {

class Recorder {
public:
  Recorder(); // asks the environment

  // False when a file cannot be written.
  bool array(uint32_t index, const Array &array) const;
  bool layer(const cim_layer &layer) const;
  bool stream(const cim_layer &layer, const cim_stream &stream) const;

private:
  bool write(const std::string &name, const std::string &bytes) const;
  bool npy(const std::string &name, cim_type type, std::vector<uint64_t> shape,
           const void *data) const;

  std::string folder; // empty: nothing is recorded
};

} // namespace cim::reference

#endif // CIM_REFERENCE_RECORD_H
