using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Writes garbage between the worker's own messages, then ignores its token. The host treats a worker as hostile: it must
/// neither fall nor believe anything after that.
/// </summary>
internal sealed class ProcessWritesChannelJob : IThreadJob<ProcessWritesChannelParameters>
{
    public object? Run(
        ProcessWritesChannelParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var channel = new FileStream(WorkerDescriptor.Take(ownsHandle: false), FileAccess.Write, bufferSize: 0);
        var garbage = new byte[parameters.Bytes];
        Array.Fill(garbage, parameters.Value);
        channel.Write(garbage);
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return null;
    }
}

/// <param name="Bytes">How much garbage.</param>
/// <param name="Value">The byte that it is made of; 255 reads as an enormous length.</param>
/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ProcessWritesChannelParameters(
    [Range(1, 10_000_000)] int Bytes = 64,
    byte Value = 255,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Marker = null
);
