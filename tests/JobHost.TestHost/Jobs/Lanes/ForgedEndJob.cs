using System.Buffers.Binary;
using System.Text;
using JobHost.TestHost.Jobs.Processes;

namespace JobHost.TestHost.Jobs.Lanes;

/// <summary>
/// Tells the host in the name of its lane that a run has ended which may not be in it, or that its own has, twice. Then ignores
/// its token.
/// </summary>
internal sealed class ForgedEndJob : IThreadJob<ForgedEndParameters>
{
    public object? Run(ForgedEndParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var channel = new FileStream(WorkerDescriptor.Take(ownsHandle: false), FileAccess.Write, bufferSize: 0);
        for (var time = 0; time < parameters.Times; time++)
        {
            var id = parameters.RunId ?? context.RunId;
            var json = Encoding.UTF8.GetBytes(
                $$"""{ "is": "ofRun", "runId": "{{id}}", "message": { "is": "ended", "ending": "{{parameters.Ending}}" } }"""
            );
            var frame = new byte[4 + json.Length];
            BinaryPrimitives.WriteInt32LittleEndian(frame, json.Length);
            json.CopyTo(frame, 4);
            channel.Write(frame);
        }
        using var marker = new Marker(parameters.Marker);
        Stay.Until(new Bound(parameters.Seconds), marker);
        return null;
    }
}

/// <param name="RunId">Whose end; its own where absent.</param>
/// <param name="Times">How often.</param>
/// <param name="Ending">Which.</param>
/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ForgedEndParameters(
    Guid? RunId = null,
    int Times = 1,
    string Ending = "Returned",
    double Seconds = 120,
    string? Marker = null
);
