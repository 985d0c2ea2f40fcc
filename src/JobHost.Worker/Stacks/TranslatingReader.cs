using JobHost.Worker.Native;
using Microsoft.Diagnostics.Runtime;

namespace JobHost.Worker.Stacks;

/// <summary>
/// Reads a process whose threads know themselves by other numbers than we do, as it lives in a process namespace of its own:
/// its runtime notes theirs, the system calls that look at a thread want ours.
/// </summary>
internal sealed class TranslatingReader(IDataReader inner, IReadOnlyDictionary<int, ThreadEntry> threads) : IDataReader
{
    public string DisplayName => inner.DisplayName;

    public bool IsThreadSafe => inner.IsThreadSafe;

    public System.Runtime.InteropServices.OSPlatform TargetPlatform => inner.TargetPlatform;

    public System.Runtime.InteropServices.Architecture Architecture => inner.Architecture;

    public int ProcessId => inner.ProcessId;

    public int PointerSize => inner.PointerSize;

    public bool GetThreadContext(uint threadID, uint contextFlags, Span<byte> context) =>
        inner.GetThreadContext(
            threads.TryGetValue((int)threadID, out var thread) ? (uint)thread.Number : threadID,
            contextFlags,
            context
        );

    public IEnumerable<ModuleInfo> EnumerateModules() => inner.EnumerateModules();

    public void FlushCachedData() => inner.FlushCachedData();

    public int Read(ulong address, Span<byte> buffer)
    {
        try
        {
            return inner.Read(address, buffer);
        }
        catch (InvalidOperationException)
        {
            // The process has ended meanwhile. Native code asks, through which nothing may be thrown: it would end this process.
            return 0;
        }
    }

    public bool Read<T>(ulong address, out T value)
        where T : unmanaged => inner.Read(address, out value);

    public T Read<T>(ulong address)
        where T : unmanaged => inner.Read<T>(address);

    public bool ReadPointer(ulong address, out ulong value) => inner.ReadPointer(address, out value);

    public ulong ReadPointer(ulong address) => inner.ReadPointer(address);
}
