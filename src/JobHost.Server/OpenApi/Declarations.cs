using System.Text.Json.Nodes;
using JobHost.Server.Http;

namespace JobHost.Server.OpenApi;

/// <summary>
/// What an operation says of itself beyond its parameters and the type of its answer. Each is one call where the route is
/// mapped; <see cref="Operations"/> writes it into the document.
/// </summary>
internal static class Declarations
{
    /// <summary>Names the group of the document that operations belong to, and says what it is about.</summary>
    internal static TBuilder WithTag<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithTags(name).WithMetadata(new Tag(name, description));

    /// <summary>Names the problems that it can answer with, besides those that every operation of its kind can.</summary>
    internal static TBuilder Refuses<TBuilder>(this TBuilder endpoint, params ProblemType[] types)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Refusals(types));

    /// <summary>Reads <c>Prefer: wait=SECONDS</c>.</summary>
    internal static TBuilder Waits<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint
            .TakesHeader(
                "Prefer",
                $"`wait=SECONDS`: how long to wait before the answer; more than {Preferences.MaxSeconds} counts as that.",
                pattern: "^wait=[0-9]+$",
                example: "wait=10"
            )
            .SendsHeader(200, "Preference-Applied", "`wait=SECONDS`, where it was waited for.");

    /// <summary>Can answer with a stream of events, which a reader goes on with after the last one that it has.</summary>
    internal static TBuilder Resumes<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.TakesHeader(
            "Last-Event-ID",
            "The id of the last event that was received: the stream goes on after it.",
            pattern: "^[0-9]+$"
        );

    /// <summary>Reads a header of the request.</summary>
    internal static TBuilder TakesHeader<TBuilder>(
        this TBuilder endpoint,
        string name,
        string description,
        string? pattern = null,
        string? example = null
    )
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestHeader(name, description, pattern, example));

    /// <summary>Sends a header with answers of a status.</summary>
    internal static TBuilder SendsHeader<TBuilder>(
        this TBuilder endpoint,
        int status,
        string name,
        string description,
        bool isNumber = false
    )
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new AnswerHeader(status, name, description, isNumber));

    /// <summary>Sends <c>Location</c> with what it has accepted.</summary>
    internal static TBuilder Locates<TBuilder>(this TBuilder endpoint, string what)
        where TBuilder : IEndpointConventionBuilder => endpoint.SendsHeader(202, "Location", $"The path of {what}.");

    /// <summary>Gives an example of the body, which the operation would take.</summary>
    internal static TBuilder WithExample<TBuilder>(this TBuilder endpoint, string json)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new BodyExample(JsonNode.Parse(json)!));

    /// <summary>Names two types of which 200 answers with one; of a union of results, the generator keeps one a status.</summary>
    internal static RouteHandlerBuilder AnswersEither<TFirst, TSecond>(this RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(new Alternatives(typeof(TFirst), typeof(TSecond)));

    /// <summary>Answers with bytes, also with a part of them.</summary>
    internal static TBuilder Downloads<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint
            .WithMetadata(new Download())
            .TakesHeader("Range", "`bytes=FROM-TO`: only this part.", example: "bytes=0-1023")
            .SendsHeader(206, "Content-Range", "Which part it is, and of how many bytes.")
            .Refuses(ProblemTypes.RangeNotSatisfiable);

    internal sealed record Tag(string Name, string Description);

    internal sealed record Refusals(IReadOnlyList<ProblemType> Types);

    internal sealed record RequestHeader(string Name, string Description, string? Pattern, string? Example);

    internal sealed record AnswerHeader(int Status, string Name, string Description, bool IsNumber);

    internal sealed record BodyExample(JsonNode Json);

    internal sealed record Alternatives(Type First, Type Second);

    internal sealed record Download;

    /// <summary>Answers with documents that bear a tag of their content.</summary>
    internal sealed record TaggedDocuments;
}
