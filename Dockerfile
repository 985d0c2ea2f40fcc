FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# What restore reads, and nothing else: this layer is rebuilt only when a project or a version changes.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/JobHost.Abstractions/JobHost.Abstractions.csproj src/JobHost.Abstractions/
COPY src/JobHost.Worker/JobHost.Worker.csproj src/JobHost.Worker/
COPY src/JobHost/JobHost.csproj src/JobHost/
COPY src/JobHost.Client/JobHost.Client.csproj src/JobHost.Client/
COPY src/JobHost.Cli/JobHost.Cli.csproj src/JobHost.Cli/
COPY src/JobHost.Samples/JobHost.Samples.csproj src/JobHost.Samples/
COPY src/JobHost.Server/JobHost.Server.csproj src/JobHost.Server/
RUN dotnet restore src/JobHost.Server

# The analyzers take their severities from .editorconfig, and warnings are errors.
COPY .editorconfig ./
COPY src/ src/
RUN dotnet publish src/JobHost.Server -c Release --no-restore -o /app


FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app ./

# A new named volume takes over the owner of the directory that it covers.
RUN install -d -m 0750 -o "$APP_UID" -g "$APP_UID" /data
VOLUME /data

# ASPNETCORE_HTTP_PORTS is set by the base image; left there, every start would warn that the URLs override it.
# Diagnostics are off because a job of the same user could use the server's diagnostics socket.
# JobHost refuses to listen on 0.0.0.0 without API keys; whoever runs the image decides about that, not the image.
ENV ASPNETCORE_HTTP_PORTS= \
    ASPNETCORE_URLS=http://0.0.0.0:8080 \
    DOTNET_EnableDiagnostics=0 \
    JobHost__DataDirectory=/data

USER $APP_UID
EXPOSE 8080
# The program itself, not `dotnet JobHost.Server.dll`: the keeper is the same binary, started with another verb.
ENTRYPOINT ["/app/JobHost.Server"]
