using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Worker.Native;

namespace JobHost.Worker.Keeping;

/// <summary>What host and keeper say to each other.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "is")]
[JsonDerivedType(typeof(StartWorkerMessage), "start")]
[JsonDerivedType(typeof(GuardMessage), "guard")]
[JsonDerivedType(typeof(WorkerStartedMessage), "started")]
[JsonDerivedType(typeof(WorkerRefusedMessage), "refused")]
[JsonDerivedType(typeof(WorkerEndedMessage), "ended")]
[JsonDerivedType(typeof(LingeringMessage), "lingering")]
[JsonDerivedType(typeof(TreeGoneMessage), "gone")]
internal abstract record KeeperMessage;

/// <summary>
/// Host to keeper: start a worker. With it come three descriptors: the worker's channel, its stdout, its stderr.
/// </summary>
/// <param name="Id">What the host calls the worker from now on.</param>
/// <param name="File">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Its whole environment.</param>
/// <param name="WorkingDirectory">Its folder.</param>
/// <param name="OwnNamespace">Whether it begins a process namespace of its own.</param>
internal sealed record StartWorkerMessage(
    long Id,
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory,
    bool OwnNamespace
) : KeeperMessage;

/// <summary>Host to keeper: kill and remove this cgroup, too, when the host ends.</summary>
internal sealed record GuardMessage(string CgroupPath) : KeeperMessage;

/// <summary>Keeper to host: a worker lives. With it comes a descriptor of its process.</summary>
internal sealed record WorkerStartedMessage(long Id, int Pid, long StartTime) : KeeperMessage;

/// <summary>Keeper to host: a worker could not be started.</summary>
internal sealed record WorkerRefusedMessage(long Id, string Reason) : KeeperMessage;

/// <summary>Keeper to host: the worker itself has ended.</summary>
internal sealed record WorkerEndedMessage(long Id, int? ExitCode, int? Signal) : KeeperMessage;

/// <summary>Keeper to host, about once a second: who of an ended worker's tree withstands.</summary>
internal sealed record LingeringMessage(long Id, IReadOnlyList<KeptProcess> Survivors) : KeeperMessage;

/// <summary>Keeper to host, last: nothing of the tree is left.</summary>
/// <param name="Id">The worker.</param>
/// <param name="Leftovers">Whom the worker left behind, at most some hundred.</param>
/// <param name="Count">How many those were.</param>
internal sealed record TreeGoneMessage(long Id, IReadOnlyList<KeptProcess> Leftovers, int Count) : KeeperMessage;

/// <summary>A process as the keeper saw it.</summary>
internal sealed record KeptProcess(int Pid, long StartTime, string Command, string State, string? WaitsFor)
{
    internal static KeptProcess Of(ProcessEntry entry) =>
        new(
            entry.Pid,
            entry.StartTime,
            entry.Command,
            entry.State.ToString(),
            entry.State == 'D' ? ProcFs.WaitChannel(entry.Pid) : null
        );
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(KeeperMessage))]
internal sealed partial class KeeperJson : JsonSerializerContext;

/// <summary>The line between host and keeper: each message is its length in four bytes, little endian, then JSON.</summary>
internal sealed class KeeperLine(HandleSocket socket) : IDisposable
{
    private const int HeaderLength = 4;
    private const int MaxLength = 16 * 1024 * 1024;

    private readonly Lock sending = new();

    internal int Descriptor => socket.Descriptor;

    /// <exception cref="IOException">The other side is gone.</exception>
    internal void Send(KeeperMessage message, params ReadOnlySpan<Microsoft.Win32.SafeHandles.SafeFileHandle> handles)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(message, KeeperJson.Default.KeeperMessage);
        var frame = new byte[HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, body.Length);
        body.CopyTo(frame, HeaderLength);
        lock (sending)
        {
            socket.Send(frame, handles);
        }
    }

    /// <summary>The next message; null when the other side is gone.</summary>
    internal KeeperMessage? Receive()
    {
        try
        {
            Span<byte> header = stackalloc byte[HeaderLength];
            if (!socket.Receive(header))
            {
                return null;
            }
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length is <= 0 or > MaxLength)
            {
                return null;
            }
            var body = new byte[length];
            return socket.Receive(body) ? JsonSerializer.Deserialize(body, KeeperJson.Default.KeeperMessage) : null;
        }
        catch (Exception broken) when (broken is IOException or JsonException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="HandleSocket.TakeHandles"/>
    internal Microsoft.Win32.SafeHandles.SafeFileHandle[]? TakeHandles(int count) => socket.TakeHandles(count);

    public void Dispose() => socket.Dispose();
}
