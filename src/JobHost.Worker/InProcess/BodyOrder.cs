using System.Text.Json;
using JobHost.Worker.Bodies;
using JobHost.Worker.Running;

namespace JobHost.Worker.InProcess;

/// <summary>The code that is to run inside this process.</summary>
internal sealed class BodyOrder
{
    /// <summary>For the names of threads.</summary>
    internal string Name => $"{Context.Job} {Context.RunId}";

    public required JobBody Body { get; init; }

    /// <summary>Checked already by whoever accepted the run.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>Where the parameters are, where they are too large.</summary>
    public ParametersFile? ParametersFile { get; init; }

    public required RunContext Context { get; init; }

    /// <summary>Whether an asynchronous body gets a thread of its own.</summary>
    public bool OwnThread { get; init; }

    /// <summary>Whether the body may be aborted in this process.</summary>
    public bool MayAbort { get; init; }

    internal object? ReadParameters() => Bodies.ParametersFile.Read(Body, Parameters, ParametersFile, out _);
}
