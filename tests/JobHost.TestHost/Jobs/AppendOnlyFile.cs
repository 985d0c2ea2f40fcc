using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace JobHost.TestHost.Jobs;

/// <summary>
/// Files to which several processes append at once without losing a byte. <see cref="FileMode.Append"/> only seeks to the
/// end once, so two writers overwrite each other; with O_APPEND the kernel finds the end at each write.
/// </summary>
internal static class AppendOnlyFile
{
    private const int O_WRONLY = 0x1;
    private const int O_CREAT = 0x40;
    private const int O_APPEND = 0x400;
    private const int O_CLOEXEC = 0x80000;
    private const int Mode = 0b110_100_100;

    /// <exception cref="IOException">The file cannot be opened.</exception>
    internal static SafeFileHandle Open(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        var descriptor = open(Encoding.UTF8.GetBytes(path + '\0'), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, Mode);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"'{path}' cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Appends in one write. Linux ignores the offset where O_APPEND is set; elsewhere it is the best we have.</summary>
    internal static void Append(SafeFileHandle file, ReadOnlySpan<byte> bytes) =>
        RandomAccess.Write(file, bytes, RandomAccess.GetLength(file));

    /// <summary>Appends one line in one write.</summary>
    internal static void AppendLine(string path, string line)
    {
        using var file = Open(path);
        Append(file, Encoding.UTF8.GetBytes(line + '\n'));
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int open(byte[] path, int flags, int mode);
}
