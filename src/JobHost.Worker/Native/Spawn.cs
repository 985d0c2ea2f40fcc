using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Native;

/// <summary>What to start, and what the child gets.</summary>
internal sealed record SpawnRequest
{
    /// <summary>An absolute path.</summary>
    public required string File { get; init; }

    /// <summary>Without the program's own name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment; nothing is inherited.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    public string? WorkingDirectory { get; init; }

    /// <summary>Becomes the child's descriptor 0; null: <c>/dev/null</c> does.</summary>
    public SafeFileHandle? Stdin { get; init; }

    /// <summary>Becomes the child's descriptor 1; null leaves the parent's.</summary>
    public SafeFileHandle? Stdout { get; init; }

    /// <summary>Becomes the child's descriptor 2; null leaves the parent's.</summary>
    public SafeFileHandle? Stderr { get; init; }

    /// <summary>Becomes the child's descriptor 3, or null for none.</summary>
    public SafeFileHandle? Channel { get; init; }

    /// <summary>True: the child leads a session and process group of its own.</summary>
    public bool NewSession { get; init; }
}

/// <summary>
/// <see href="https://man7.org/linux/man-pages/man3/posix_spawn.3.html">posix_spawn(3)</see> of a clean child: default signal
/// handlers, empty signal mask, stdin from /dev/null, no descriptor but those that it is given.
/// </summary>
internal static unsafe class Spawn
{
    private const short SetSigDefault = 0x04;
    private const short SetSigMask = 0x08;
    private const short SetSession = 0x80;

    // Larger than either structure is in glibc or musl.
    private const int OpaqueSize = 1024;
    private const int SigsetSize = 128;

    // glibc 2.34 and later. Elsewhere the close-on-exec flag of our own descriptors has to do.
    private static readonly bool HasCloseFrom =
        NativeLibrary.TryLoad("libc", typeof(Spawn).Assembly, null, out var libc)
        && NativeLibrary.TryGetExport(libc, "posix_spawn_file_actions_addclosefrom_np", out _);

    /// <summary>Starts a child and returns its process id.</summary>
    /// <exception cref="IOException">It cannot be started; the message says why, without the arguments.</exception>
    internal static int Start(SpawnRequest request)
    {
        Children.EnsureWaitable();
        var attributes = stackalloc byte[OpaqueSize];
        var actions = stackalloc byte[OpaqueSize];
        var signals = stackalloc byte[SigsetSize];
        using var strings = new NativeStrings();

        Check(Libc.posix_spawnattr_init(attributes));
        Check(Libc.posix_spawn_file_actions_init(actions));
        try
        {
            // By hand, as sigfillset leaves out two signals of the C library's own, which it would then have ignored.
            new Span<byte>(signals, SigsetSize).Fill(0xFF);
            Check(Libc.posix_spawnattr_setsigdefault(attributes, signals));
            _ = Libc.sigemptyset(signals);
            Check(Libc.posix_spawnattr_setsigmask(attributes, signals));
            var flags = SetSigDefault | SetSigMask | (request.NewSession ? SetSession : 0);
            Check(Libc.posix_spawnattr_setflags(attributes, (short)flags));

            Check(Libc.posix_spawn_file_actions_addopen(actions, 0, strings.Add("/dev/null"), 0, 0));
            Redirect(actions, request.Stdin, 0);
            Redirect(actions, request.Stdout, 1);
            Redirect(actions, request.Stderr, 2);
            Redirect(actions, request.Channel, 3);
            if (HasCloseFrom)
            {
                Check(Libc.posix_spawn_file_actions_addclosefrom_np(actions, request.Channel is null ? 3 : 4));
            }
            if (request.WorkingDirectory is { } directory)
            {
                Check(Libc.posix_spawn_file_actions_addchdir_np(actions, strings.Add(directory)));
            }

            var argv = strings.Vector([request.File, .. request.Arguments]);
            var envp = strings.Vector(request.Environment.Select(pair => $"{pair.Key}={pair.Value}"));
            var error = Libc.posix_spawn(out var pid, strings.Add(request.File), actions, attributes, argv, envp);
            return error == 0
                ? pid
                : throw new IOException(
                    $"'{request.File}' cannot be started: {Marshal.GetPInvokeErrorMessage(error)}."
                );
        }
        finally
        {
            _ = Libc.posix_spawnattr_destroy(attributes);
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            GC.KeepAlive(request);
        }
    }

    private static void Redirect(void* actions, SafeFileHandle? source, int target)
    {
        if (source is not null)
        {
            Check(Libc.posix_spawn_file_actions_adddup2(actions, (int)source.DangerousGetHandle(), target));
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new IOException($"posix_spawn cannot be prepared: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    /// <summary>C strings that live until the call is over.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly List<nint> blocks = [];

        internal byte* Add(string text)
        {
            // A NUL would cut the text short without a word.
            if (text.Contains('\0', StringComparison.Ordinal))
            {
                throw new IOException("An argument, a variable or a path contains a NUL character.");
            }
            var length = Encoding.UTF8.GetByteCount(text);
            var block = (byte*)NativeMemory.Alloc((nuint)length + 1);
            blocks.Add((nint)block);
            Encoding.UTF8.GetBytes(text, new Span<byte>(block, length));
            block[length] = 0;
            return block;
        }

        internal byte** Vector(IEnumerable<string> texts)
        {
            var pointers = texts.Select(text => (nint)Add(text)).ToArray();
            var vector = (byte**)NativeMemory.Alloc((nuint)(pointers.Length + 1), (nuint)sizeof(byte*));
            blocks.Add((nint)vector);
            for (var i = 0; i < pointers.Length; i++)
            {
                vector[i] = (byte*)pointers[i];
            }
            vector[pointers.Length] = null;
            return vector;
        }

        public void Dispose()
        {
            foreach (var block in blocks)
            {
                NativeMemory.Free((void*)block);
            }
        }
    }
}
