// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes of Target: what looks at a program and writes files.
#ifndef CIM_TARGET_PASSES_TD
#define CIM_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def ReportPass : Pass<"cim-report", "::mlir::ModuleOp"> {
  let summary = "write what was mapped where, and what it costs";
  let description = [{
    Writes the report that `cim-compile --report` writes (docs/Report.md): JSON
    or an HTML page, as the extension of `file` says. The program does not
    change.

    ```mlir
    // cim-opt --cim-report="file=report.json"
    cim.array @array0 image(dense<[[1, -1], [1, 0]]> : tensor<2x2xi8>)
    cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
        significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
        clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
      cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"imec-ania\"",
           "The chip: a name of targets/ or the path of a YAML file">,
    Option<"file", "file", "std::string", /*default=*/"",
           "The file to write: FILE.json or FILE.html">
  ];
}

#endif // CIM_TARGET_PASSES_TD
