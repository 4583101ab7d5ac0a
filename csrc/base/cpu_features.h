// Instruction sets: what was compiled in, what this processor has, and which one was chosen.
#pragma once

#include <string>
#include <vector>

namespace ranvier {

// Names, weakest first: "baseline" (x86-64-v2, or NEON on arm64), "avx2" (with FMA), "avx512" (F, VL, BW, DQ).
std::vector<std::string> compiled_isas();
std::vector<std::string> supported_isas();  // those of compiled_isas() that this processor can run
// The one in use: RANVIER_ISA if set (Error if it is unknown or not supported here), else the strongest.
const std::string& chosen_isa();
// Whether the processor has VDPBF16PS (AVX512_BF16) besides all of "avx512".
bool has_bf16_dot();

}  // namespace ranvier
