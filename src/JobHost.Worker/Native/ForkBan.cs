using System.Runtime.InteropServices;
using Processor = System.Runtime.InteropServices.Architecture;

namespace JobHost.Worker.Native;

// A process that kills its children and then ends can be outrun by its own other threads: whoever one of them starts between
// the last look and the end is nobody's child afterwards. So before the last look the kernel is told to refuse them: a
// seccomp filter, put on all threads in one step, which no privilege is needed for. It cannot be taken back, which is no loss to a
// process that ends.
//
// Threads stay allowed, as the runtime ends the process where it cannot start one. clone3 has its flags in memory, where a filter
// cannot look: it is answered as if the kernel had no such call, and the C library falls back on clone.

/// <summary>Forbids this process to start any other, for ever.</summary>
internal static unsafe class ForkBan
{
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int SECCOMP_SET_MODE_FILTER = 1;
    private const int SECCOMP_FILTER_FLAG_TSYNC = 1;
    private const int CLONE_THREAD = 0x10000;
    private const int EPERM = 1;
    private const int ENOSYS = 38;

    private const ushort LoadWord = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort JumpIfBits = 0x45;
    private const ushort Return = 0x06;
    private const uint Allow = 0x7fff0000;
    private const uint Refuse = 0x00050000;

    // Of struct seccomp_data.
    private const uint OffsetOfNumber = 0;
    private const uint OffsetOfArchitecture = 4;
    private const uint OffsetOfFirstArgument = 16;

    // A call that an architecture does not have.
    private const uint None = uint.MaxValue;

    /// <returns>False where the kernel or the architecture has no such thing.</returns>
    internal static bool TryImpose()
    {
        if (Calls.Current is not { } calls || Libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        {
            return false;
        }
        ReadOnlySpan<Instruction> program =
        [
            new(LoadWord, 0, 0, OffsetOfArchitecture),
            new(JumpIfEqual, 0, 8, calls.Architecture),
            new(LoadWord, 0, 0, OffsetOfNumber),
            new(JumpIfEqual, 7, 0, calls.Clone3),
            new(JumpIfEqual, 4, 0, calls.Fork),
            new(JumpIfEqual, 3, 0, calls.Vfork),
            new(JumpIfEqual, 0, 3, calls.OldClone),
            new(LoadWord, 0, 0, OffsetOfFirstArgument),
            new(JumpIfBits, 1, 0, CLONE_THREAD),
            new(Return, 0, 0, Refuse | EPERM),
            new(Return, 0, 0, Allow),
            new(Return, 0, 0, Refuse | ENOSYS),
        ];
        fixed (Instruction* first = program)
        {
            var filter = new Filter { Length = (ushort)program.Length, First = first };
            return Libc.syscall(calls.Seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, (nint)(&filter), 0)
                == 0;
        }
    }

    /// <summary>The numbers that system calls have here.</summary>
    private sealed record Calls(uint Architecture, nint Seccomp, uint OldClone, uint Fork, uint Vfork, uint Clone3)
    {
        internal static Calls? Current =>
            RuntimeInformation.ProcessArchitecture switch
            {
                Processor.X64 => new(0xC000003E, 317, 56, 57, 58, 435),
                Processor.Arm64 => new(0xC00000B7, 277, 220, None, None, 435),
                _ => null,
            };
    }

    /// <summary><c>struct sock_filter</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    /// <summary><c>struct sock_fprog</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        public ushort Length;
        public Instruction* First;
    }
}
