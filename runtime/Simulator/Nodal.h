// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The exact currents of a resistive crossbar with resistive wires: the
// reference for models of IR drop. Not part of the simulator's hot path.
#ifndef CIM_RUNTIME_SIMULATOR_NODAL_H
#define CIM_RUNTIME_SIMULATOR_NODAL_H

#include <cstdint>
#include <vector>

namespace cim::sim {

/// Row i is driven with voltage[i] at its left end, through one wire segment
/// before its first device; column j ends in a virtual ground below its last
/// device, one segment further on. Device (i, j) joins the two wires.
struct Crossbar {
  uint32_t rows = 0, columns = 0;
  std::vector<double> conductance; // siemens, [rows][columns], >= 0
  std::vector<double> voltage;     // volts, [rows]
  double rowResistance = 0, columnResistance = 0; // ohm, of one segment
};

struct CrossbarSolution {
  std::vector<double> currents;    // amperes into the grounds, [columns]
  std::vector<double> row, column; // voltages of the wires at the devices
  uint32_t iterations = 0;
};

/// Nodal analysis by conjugate gradients, preconditioned with the wires (a
/// tridiagonal system each); time and memory grow with the devices times the
/// iterations. Stops when the residual is 1e-13 of the currents of ideal wires.
CrossbarSolution solveCrossbar(const Crossbar &crossbar);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_NODAL_H
