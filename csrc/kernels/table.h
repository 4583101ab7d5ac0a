// The kernel table: one struct of function pointers, expanded from kernels.def, one instance per instruction
// set. Kernels are functions of pointers and sizes; they know no graph.
//
// A *.isa.cpp file is compiled once per instruction set with RANVIER_ISA set to its name, and puts everything
// it defines into namespace ranvier::RANVIER_ISA. It must not use templates or inline functions of the
// standard library that could be emitted out of line (the linker would keep one instruction set's copy for
// all): plain loops, pointers, and helpers marked `static inline` inside its own namespace.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/dtype.h"
#include "kernels/types.h"

namespace ranvier {

struct KernelTable {
  const char* isa;
#define RANVIER_KERNEL(name, ...) std::add_pointer_t<__VA_ARGS__> name;
#include "kernels/kernels.def"
#undef RANVIER_KERNEL
};

// The table of chosen_isa().
const KernelTable& kernels();
// The table of a named instruction set; nullptr when it is not compiled in.
const KernelTable* kernels_for(std::string_view isa);

#ifdef RANVIER_ISA
namespace RANVIER_ISA {
#define RANVIER_KERNEL(name, ...) std::remove_pointer_t<std::add_pointer_t<__VA_ARGS__>> name;
#include "kernels/kernels.def"
#undef RANVIER_KERNEL
}  // namespace RANVIER_ISA
#endif

}  // namespace ranvier
