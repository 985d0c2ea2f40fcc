namespace JobHost.Server.Contracts;

/// <summary>Why a request was not carried out (RFC 9457). Which of the last members there are depends on the type.</summary>
/// <remarks>It only describes what <c>Http/Problems</c> writes.</remarks>
public sealed record ProblemContract
{
    /// <summary>Which problem it is. Clients compare it; it does not change.</summary>
    public required string Type { get; init; }

    public required string Title { get; init; }

    /// <summary>The status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong with this request, in words.</summary>
    public required string Detail { get; init; }

    /// <summary>To find the request in the service's log.</summary>
    public string? TraceId { get; init; }

    /// <summary>What is wrong with each field, by its name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }

    /// <summary>The run as it is now.</summary>
    public RunContract? Run { get; init; }

    /// <summary>The run that stands in the way.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The kill guarantee that there is.</summary>
    public string? Offered { get; init; }

    /// <summary>The role that is needed.</summary>
    public string? RequiredRole { get; init; }
}
