using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace JobHost.Samples.Native;

/// <summary>What .NET does not tell: whether a path names a file with content, or a pipe whose opening blocks for ever.</summary>
internal static unsafe partial class FileTypes
{
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_TYPE = 1;
    private const int S_IFMT = 0xF000;
    private const int S_IFREG = 0x8000;

    // struct statx is the same on every Linux.
    private const int StatxSize = 256;
    private const int ModeOffset = 28;

    /// <summary>False where the path is known to name no regular file; only Linux knows.</summary>
    internal static bool MayBeRegular(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }
        Span<byte> buffer = stackalloc byte[StatxSize];
        fixed (byte* first = buffer)
        {
            // What cannot be looked at cannot be opened either, and the opening has the better message.
            return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, first) != 0
                || (BinaryPrimitives.ReadUInt16LittleEndian(buffer[ModeOffset..]) & S_IFMT) == S_IFREG;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* buffer);
}
