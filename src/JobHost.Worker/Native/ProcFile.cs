using System.Runtime.InteropServices;
using System.Text;

namespace JobHost.Worker.Native;

/// <summary>
/// Reads the small files of <c>/proc</c> and of cgroups with three calls of the system: open, read, close. The class library
/// needs six and, where a process has just ended, an exception; a look through all processes is made of nothing else.
/// </summary>
internal static unsafe class ProcFile
{
    private const int O_RDONLY_CLOEXEC = 0x80000;
    private const int ENOENT = 2;
    private const int EINTR = 4;
    private const int ChunkSize = 4096;

    /// <summary>The beginning of a file, decoded.</summary>
    /// <returns>How many characters there are; -1 where it is gone, or not ours to read.</returns>
    internal static int Read(string path, Span<char> text)
    {
        var fd = Libc.open(path, O_RDONLY_CLOEXEC, 0);
        if (fd < 0)
        {
            return -1;
        }
        // A byte is at most one character.
        var bytes = stackalloc byte[text.Length];
        var count = ReadOnce(fd, bytes, text.Length);
        _ = Libc.close(fd);
        return count < 0 ? -1 : Encoding.UTF8.GetChars(new ReadOnlySpan<byte>(bytes, (int)count), text);
    }

    /// <summary>Adds the numbers that a file lists, with blanks or line ends between them.</summary>
    /// <returns>False when it is there and cannot be read: what was added proves nothing, then.</returns>
    internal static bool ReadNumbers(string path, List<int> numbers)
    {
        var fd = Libc.open(path, O_RDONLY_CLOEXEC, 0);
        if (fd < 0)
        {
            return Marshal.GetLastPInvokeError() == ENOENT;
        }
        var buffer = stackalloc byte[ChunkSize];
        var number = 0;
        var isNumber = false;
        nint count;
        while ((count = ReadOnce(fd, buffer, ChunkSize)) > 0)
        {
            for (var i = 0; i < count; i++)
            {
                if (buffer[i] is >= (byte)'0' and <= (byte)'9')
                {
                    number = (number * 10) + (buffer[i] - '0');
                    isNumber = true;
                }
                else if (isNumber)
                {
                    numbers.Add(number);
                    number = 0;
                    isNumber = false;
                }
            }
        }
        if (isNumber)
        {
            numbers.Add(number);
        }
        _ = Libc.close(fd);
        return count == 0;
    }

    private static nint ReadOnce(int fd, byte* buffer, int length)
    {
        nint count;
        do
        {
            count = Libc.read(fd, buffer, length);
        } while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
        return count;
    }
}
